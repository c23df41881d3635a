"""Fixtures that every test may ask for, a real PostgreSQL among them.

PostgreSQL is the server that MODELMINT_TEST_POSTGRES_URL names (of a role that may make databases), else one of
our own from the package pgserver.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from modelmint.store.migrate import migrate as migrate_really
from modelmint.store.open import open_books

_REPOSITORY = Path(__file__).resolve().parent.parent

# A shell starts jobs in the background with Ctrl-C ignored, and so would every process be that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A law holds on a busy machine too: an example that waited for a processor is no failure (pytest's timeout stands).
# With CI set this keeps what Hypothesis sets there.
settings.register_profile("modelmint", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("modelmint")


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """To be called with what a test needs and does not find.

    Skips; fails where CI is set, because a verdict must not rest on tests that silently did not run.
    """

    def tell(reason: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (CI is set, so this is not skipped)", pytrace=False)
        pytest.skip(reason)

    return tell


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real datasets; skips where the machine does not have it."""
    folder = Path(os.environ.get("MODELMINT_TEST_DATA", _REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the datasets folder at {folder} (set MODELMINT_TEST_DATA)")
    return folder


@pytest.fixture(scope="session", autouse=True)
def sqlite_migrated_once() -> Iterator[None]:
    """New SQLite books get what the migrations made for the first ones: migrating was half of furnishing a shop.

    PostgreSQL's are copies of a template (``Postgres.new_database``). Processes that tests start migrate by themselves.
    """
    made: list[str] = []

    def migrate(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection) or driver.execute("SELECT 1 FROM sqlite_master").fetchone():
            migrate_really(connection)
        elif made:
            for statement in made:
                driver.execute(statement)
        else:
            migrate_really(connection)
            made.extend(line for line in driver.iterdump() if line not in ("BEGIN TRANSACTION;", "COMMIT;"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("modelmint.store.open.migrate", migrate)
        yield


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases stay until they are recalled, whatever the machine is busy with: nobody looks for recalls by himself."""
    for name in ("leases.IDLE", "leases.FRESH", "writer.TICK", "express.TICK", "lending.TICK"):
        monkeypatch.setattr(f"modelmint.store.{name}", 600)


GIVEN = "MODELMINT_TEST_POSTGRES_URL"
Missing = Callable[[str], NoReturn]


class Postgres:
    """A server on which tests make databases."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._template = ""
        self._made: list[str] = []

    def _execute(self, statement: str, tries: int = 5) -> None:
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        for left in reversed(range(tries)):
            try:
                with engine.connect() as connection:
                    connection.execute(text(statement))
                return
            except OperationalError:  # a session of the template that is still ending, a server that is busy
                if not left:
                    raise
                time.sleep(1)

    def empty_database(self, name: str = "", template: str = "template0") -> str:
        """The URL of a new database, a copy of ``template``."""
        name = name or f"books_{uuid.uuid4().hex}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self._made.append(name)
        return self._url.set(database=name).render_as_string(hide_password=False)

    def new_database(self) -> str:
        """Migrated already: copying a template is faster than migrating for every test."""
        if not self._template:
            name = f"migrated_{uuid.uuid4().hex}"
            open_books(self.empty_database(name)).close()
            self._template = name
        return self.empty_database(template=self._template)

    def clear(self) -> None:
        """End what is connected still to databases made so far, and drop them; the template stays."""
        for name in [name for name in self._made if name != self._template]:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            self._made.remove(name)

    def remove(self) -> None:
        """Leave nothing behind."""
        self._template = ""
        self.clear()


class GivenPostgres(Postgres):
    """A server that runs already; it is left with the databases that it had."""

    def __init__(self, url: str) -> None:
        super().__init__(make_url(url).set(drivername="postgresql+psycopg"))


class OwnPostgres(Postgres):
    """A server of our own on a socket in its data folder. PostgreSQL refuses root, so root lends it to nobody.

    ``syncs``: it keeps what it confirmed through a crash. Databases are made and dropped much faster where it need not.
    """

    def __init__(self, binaries: Path, *, syncs: bool) -> None:
        # A socket's path holds 107 bytes at most, so pytest's long folder names will not do.
        self.folder = Path(tempfile.mkdtemp(prefix="mm-pg-"))
        super().__init__(make_url(f"postgresql+psycopg://postgres@/postgres?host={self.folder}"))
        self._binaries = binaries
        self._fsync = "on" if syncs else "off"
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
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=200 -c fsync={self._fsync}"
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "150", "-l", str(log), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """``immediate`` is a crash: nothing is flushed, the log is replayed at the next start."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", mode, "-w", "stop")

    def remove(self) -> None:
        try:
            self.stop("immediate")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


def _start(missing: Missing, *, syncs: bool) -> OwnPostgres:
    """Tells the reason where the server cannot start."""
    if find_spec("psycopg") is None:
        missing("PostgreSQL needs the extra 'postgres'")
    found = find_spec("pgserver")
    if found is None or found.origin is None:
        # pgserver has no wheel for Python 3.13: there nothing is missing that could be installed.
        tell = missing if sys.version_info < (3, 13) else pytest.skip
        tell(f"needs the package pgserver (Python below 3.13), or a running PostgreSQL named by {GIVEN}")
    binaries = Path(found.origin).parent / "pginstall" / "bin"
    try:
        return OwnPostgres(binaries, syncs=syncs)
    except (OSError, RuntimeError, KeyError, subprocess.TimeoutExpired) as error:
        missing(f"no PostgreSQL can be started here: {error}; a running one can be named by {GIVEN}")


@pytest.fixture(scope="session")
def postgres_of_all(missing: Missing) -> Iterator[Postgres]:
    """One server for all tests that leave it running."""
    given = os.environ.get(GIVEN)
    server = GivenPostgres(given) if given else _start(missing, syncs=False)
    yield server
    server.remove()


@pytest.fixture
def postgres(postgres_of_all: Postgres) -> Iterator[Postgres]:
    """The server; what the test makes there goes with it, and so do sessions that a test which fails leaves open."""
    yield postgres_of_all
    postgres_of_all.clear()


@pytest.fixture
def given_postgres(postgres: Postgres) -> Callable[[str], Postgres]:
    """Makes a server from the URL of one that runs."""
    return GivenPostgres


@pytest.fixture
def fragile_postgres(missing: Missing) -> Iterator[OwnPostgres]:
    """A server to be crashed, so always our own: small, because recovery syncs every file of every database."""
    server = _start(missing, syncs=True)
    yield server
    server.remove()
