"""Both databases that the books run on: SQLite, and a real PostgreSQL from the package pgserver."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modelmint.store.open import open_books


class Postgres:
    """A server of our own on a socket in its data folder. PostgreSQL refuses root, so root lends it to nobody."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._template = ""
        # A socket's path holds 107 bytes at most, so pytest's long folder names will not do.
        self.folder = Path(tempfile.mkdtemp(prefix="mm-pg-"))
        self._user = None if os.geteuid() else pwd.getpwnam("nobody")
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "postgres", "--auth=trust", "--encoding=utf8", "-N")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        identity = {} if self._user is None else {"user": self._user.pw_uid, "group": self._user.pw_gid}
        done = subprocess.run(
            [str(self._binaries / program), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            text=True,
            timeout=180,
            **identity,  # type: ignore[arg-type]  # two of Popen's keywords
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")

    def start(self) -> None:
        log = self.folder / "log"
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=60"
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "150", "-l", str(log), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """``immediate`` is a crash: nothing is flushed, the log is replayed at the next start."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def empty_database(self, name: str = "", template: str = "template0") -> str:
        name = name or f"books_{uuid.uuid4().hex}"
        self._run("createdb", "-h", str(self.folder), "-U", "postgres", "-T", template, name)
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    def new_database(self) -> str:
        """Migrated already: copying a template is faster than migrating for every test."""
        if not self._template:
            open_books(self.empty_database("migrated")).close()
            self._template = "migrated"
        return self.empty_database(template=self._template)

    def remove(self) -> None:
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def _start() -> Postgres:
    """Skips with the reason where the server cannot start."""
    pytest.importorskip("psycopg", reason="PostgreSQL needs the extra 'postgres'")
    pgserver = pytest.importorskip("pgserver", reason="a real PostgreSQL comes from the package pgserver")
    binaries = Path(pgserver.__file__).parent / "pginstall" / "bin"
    try:
        return Postgres(binaries)
    except (OSError, RuntimeError, KeyError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"no PostgreSQL can be started here: {error}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests that leave it running."""
    server = _start()
    yield server
    server.remove()


@pytest.fixture
def fragile_postgres() -> Iterator[Postgres]:
    """A server to be crashed: small, because recovery syncs every file of every database."""
    server = _start()
    yield server
    server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes the URL of an empty database."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / uuid.uuid4().hex}.sqlite"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """An empty database."""
    return new_url()
