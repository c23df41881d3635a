"""A real PostgreSQL of the bench's own, from the package pgserver, on a socket in a temporary folder."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path


@contextmanager
def own_postgres() -> Iterator[str | None]:
    """The URL of an empty database; None where the package is missing. Everything is gone afterwards."""
    found = find_spec("pgserver")
    if found is None or found.origin is None or find_spec("psycopg") is None:
        yield None
        return
    binaries = Path(found.origin).parent / "pginstall" / "bin"
    # A socket's path holds 107 bytes at most; PostgreSQL refuses to run as root.
    folder = Path(tempfile.mkdtemp(prefix="mm-pg-"))
    user = None if os.geteuid() else pwd.getpwnam("nobody")
    identity = {} if user is None else {"user": user.pw_uid, "group": user.pw_gid}
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)

    def run(program: str, *arguments: str) -> None:
        command = [str(binaries / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(
            command,
            check=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **identity,  # type: ignore[call-overload]  # two of Popen's keywords
        )

    try:
        run("initdb", "-U", "postgres", "--auth=trust", "--encoding=utf8", "-N")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-k {folder} -c listen_addresses=''", "start")
        try:
            yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
        finally:
            run("pg_ctl", "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
