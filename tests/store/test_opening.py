"""How a database is opened, and what it says when it cannot be."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from modelmint.store.database import Database
from modelmint.store.errors import BadDatabaseUrl, BooksCorrupted, BooksUnavailable
from modelmint.store.migrate import HEAD, revision_of
from modelmint.store.open import open_books
from modelmint.store.process import Process, is_dead, parse, this_process


@pytest.mark.parametrize("url", ["mysql://x/y", "books.sqlite", "sqlite://", "sqlite:///:memory:", ""])
def test_a_url_that_is_no_durable_database_is_refused_and_says_what_is_expected(url: str) -> None:
    with pytest.raises(BadDatabaseUrl, match="sqlite:///"):
        open_books(url)


def test_a_password_in_a_wrong_url_is_not_repeated() -> None:
    with pytest.raises(BadDatabaseUrl) as refusal:
        open_books("mysql://me:hunter2@host/name")
    assert "hunter2" not in str(refusal.value)


def test_sqlite_is_opened_so_that_a_commit_is_synced(tmp_path: Path) -> None:
    open_books(f"sqlite:///{tmp_path}/b.sqlite").close()
    database = Database(f"sqlite:///{tmp_path}/b.sqlite")
    hot = database.driver_connection()
    wanted = {"journal_mode": "wal", "synchronous": 2, "fullfsync": 1, "foreign_keys": 1}
    assert {name: hot.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted
    with database.read() as connection:
        found = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in wanted}
        assert found == wanted
        assert revision_of(connection) == HEAD
    hot.close()
    database.close()


def test_the_books_are_for_their_owner_only_from_the_first_moment(tmp_path: Path) -> None:
    former = os.umask(0o022)
    try:
        books = open_books(f"sqlite:///{tmp_path}/b.sqlite")
        books.add_customer("Clinic North", "n@example.org")
        rights = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
        books.close()
    finally:
        os.umask(former)
    assert rights == dict.fromkeys(("b.sqlite", "b.sqlite-wal", "b.sqlite-shm", "b.sqlite-turn"), 0o600)


def test_a_file_that_is_no_database_is_called_corrupted(tmp_path: Path) -> None:
    (tmp_path / "b.sqlite").write_bytes(b"not a database at all" * 400)
    with pytest.raises(BooksCorrupted, match="Restore"):
        open_books(f"sqlite:///{tmp_path}/b.sqlite")


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BooksUnavailable):
        open_books(f"sqlite:///{tmp_path}/file/b.sqlite")


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(BooksUnavailable):
        open_books(f"postgresql+psycopg://nobody@/none?host={tmp_path}")


def test_opening_books_that_are_up_to_date_loads_no_migration_tool(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/b.sqlite"
    open_books(url).close()
    code = (
        "import sys\nfrom modelmint.store.open import open_books\n"
        f"open_books({url!r}).close()\nassert 'alembic' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_process_is_known_by_more_than_its_number() -> None:
    me = this_process()
    assert parse(str(me)) == me
    assert not is_dead(me, shared_disk_only=True)
    assert is_dead(Process(me.host, me.boot, me.space, os.getpid(), "0"), shared_disk_only=False)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = Path(f"/proc/{child.pid}/stat")
    if not started.exists():
        pytest.skip("needs /proc")
    alive = Process(me.host, me.boot, me.space, child.pid, started.read_text().rpartition(")")[2].split()[19])
    assert not is_dead(alive, shared_disk_only=False)
    child.communicate(b"\n")
    assert is_dead(alive, shared_disk_only=False)


def test_another_boot_means_dead_only_where_all_share_a_disk() -> None:
    me = this_process()
    former = Process(me.host, "another-boot", me.space, 1, "1")
    assert is_dead(former, shared_disk_only=True)
    assert not is_dead(former, shared_disk_only=False)
    assert not is_dead(Process("elsewhere", me.boot, me.space, 1, "1"), shared_disk_only=False)
