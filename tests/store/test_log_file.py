"""The log of SQLite is laid out ahead: it costs nothing but disk, and no settlement, whatever happens meanwhile."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelmint.store import hot_sql, log_file
from modelmint.store.books import SqlBooks
from modelmint.store.log_file import FRAME_HEADER, lay_out
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
#: How long the log is made, for pages of SQLite's usual size.
SIZE = (hot_sql.CHECKPOINT + hot_sql.CHECKPOINT // 8) * (4096 + FRAME_HEADER)

#: Only callers write: nothing lent is given back by itself, however long a disk takes.
pytestmark = pytest.mark.usefixtures("calm")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the log is not laid out")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "live" / "books.sqlite"


@pytest.fixture
def books(file: Path) -> Iterator[SqlBooks]:
    opened = open_books(f"sqlite:///{file}")
    yield opened
    opened.close()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is laid out at the fifth transaction, and looked after at every tenth."""
    monkeypatch.setattr(hot_sql, "_BUSY", 5)
    monkeypatch.setattr(hot_sql, "_LOOK", 10)


def log_of(file: Path) -> Path:
    return file.with_name(file.name + "-wal")


def copied(file: Path, to: Path) -> Path:
    """What ``cp`` makes of the books: the file and its log, without what is shared in memory."""
    to.mkdir()
    for one in (file, log_of(file)):
        shutil.copy(one, to / one.name)
    return to / file.name


def quietly_copied(books: SqlBooks, file: Path, to: Path) -> Path:
    """The same, while nobody writes: a copy of two files is of one moment only then."""
    with books._database.write():
        return copied(file, to)


def billed(file: Path) -> list[str]:
    """What books at ``file`` hold, opened as after a crash."""
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    opened = open_books(f"sqlite:///{file}")
    found = [row.id for row in opened.outcomes() if row.billable]
    opened.close()
    return found


def served(caller: Caller, times: int) -> list[str]:
    return [outcome.id for outcome in caller.call(times=times)]


def test_a_file_is_made_longer_with_zeros_and_what_it_held_stays(tmp_path: Path) -> None:
    log = tmp_path / "log"
    held = bytes(range(1, 256)) * 10
    log.write_bytes(held)
    lay_out(str(log), 3 * 2**20 + 17)
    found = log.read_bytes()
    assert (len(found), found[: len(held)], found[len(held) :].count(0)) == (
        3 * 2**20 + 17,
        held,
        len(found) - len(held),
    )


@pytest.mark.parametrize("size", [0, 1, 2550])
def test_a_file_that_is_long_enough_is_left_alone(tmp_path: Path, size: int) -> None:
    log = tmp_path / "log"
    held = bytes(range(1, 256)) * 10
    log.write_bytes(held)
    before = log.stat().st_mtime_ns
    lay_out(str(log), size)
    assert (log.read_bytes(), log.stat().st_mtime_ns) == (held, before)


def test_a_log_that_is_not_there_or_is_no_file_is_left_so(tmp_path: Path) -> None:
    lay_out(str(tmp_path / "none"), 4096)
    lay_out(str(tmp_path), 4096)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_no_matter() -> None:
    lay_out("/dev/full", 4096)


@on_linux
def test_the_log_is_laid_out_after_256_transactions_and_cp_of_the_books_then_holds_every_call(
    books: SqlBooks, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, acknowledged = a_caller(books), list[str]()
    held: list[tuple[int, list[str], Path]] = []

    def laid_out(path: str, size: int) -> None:
        before = Path(path).read_bytes()
        lay_out(path, size)
        after = Path(path).read_bytes()
        assert after[: len(before)] == before and not any(after[len(before) :])
        held.append((len(after), list(acknowledged), copied(file, tmp_path / f"copy-{len(held)}")))

    monkeypatch.setattr(hot_sql, "lay_out", laid_out)
    while not held:
        acknowledged += served(caller, 1)
        assert len(acknowledged) < 1000
    acknowledged += served(caller, 20)
    ((size, known, copy),) = held
    assert size == SIZE
    assert len(known) >= 100
    assert set(known) <= set(billed(copy))
    assert billed(quietly_copied(books, file, tmp_path / "later")) == acknowledged
    assert log_of(file).stat().st_size == SIZE


@on_linux
@pytest.mark.usefixtures("soon")
def test_books_that_are_written_round_after_round_of_the_log_keep_every_call(
    books: SqlBooks, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot_sql, "CHECKPOINT", 40)  # the log begins anew again and again
    caller, acknowledged = a_caller(books), list[str]()
    for number in range(6):
        acknowledged += served(caller, 30)
        assert log_of(file).stat().st_size >= 45 * (4096 + FRAME_HEADER)
        assert billed(quietly_copied(books, file, tmp_path / f"copy-{number}")) == acknowledged


@on_linux
@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("broken", ["open", "pwrite", "fsync"])
def test_where_the_log_cannot_be_laid_out_it_grows_and_every_call_is_kept(
    books: SqlBooks, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    caller, tried = a_caller(books), list[str]()

    class Full:
        """``os``, on a disk with nothing left."""

        def __getattr__(self, name: str) -> object:
            if name != broken:
                return getattr(os, name)

            def refuse(*arguments: object) -> int:
                tried.append(name)
                raise OSError(errno.ENOSPC, "No space left on device")

            return refuse

    monkeypatch.setattr(log_file, "os", Full())
    acknowledged = served(caller, 40)
    assert set(tried) == {broken}
    assert billed(quietly_copied(books, file, tmp_path / "copy")) == acknowledged


@on_linux
@pytest.mark.usefixtures("soon")
def test_a_disk_that_fills_up_half_way_leaves_a_longer_log_and_every_call(
    books: SqlBooks, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller, pieces, whole = a_caller(books), list[int](), os.pwrite

    def fills_up(handle: int, data: bytes, at: int) -> int:
        pieces.append(at)
        if len(pieces) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(handle, data[: len(data) // 2], at)  # and it takes less than it was given

    monkeypatch.setattr(os, "pwrite", fills_up)
    acknowledged = served(caller, 40)
    assert len(pieces) > 3
    assert billed(quietly_copied(books, file, tmp_path / "copy")) == acknowledged


@on_linux
@pytest.mark.usefixtures("soon")
def test_a_log_that_somebody_else_cuts_to_nothing_in_between_loses_nothing_and_is_laid_out_again(
    books: SqlBooks, file: Path, tmp_path: Path
) -> None:
    caller, acknowledged = a_caller(books), list[str]()
    for number in range(4):
        acknowledged += served(caller, 25)
        assert log_of(file).stat().st_size == SIZE
        with sqlite3.connect(file, timeout=30) as other:
            other.execute("PRAGMA busy_timeout=30000")
            assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
            assert log_of(file).stat().st_size == 0
        other.close()
        acknowledged += served(caller, 1)
        assert billed(quietly_copied(books, file, tmp_path / f"copy-{number}")) == acknowledged
    assert [row.id for row in books.outcomes() if row.billable] == acknowledged


@on_linux
@pytest.mark.usefixtures("soon")
def test_books_that_others_open_and_close_meanwhile_keep_their_log_and_every_call(books: SqlBooks, file: Path) -> None:
    caller, acknowledged = a_caller(books), list[str]()
    for _ in range(3):
        acknowledged += served(caller, 15)
        others = open_books(f"sqlite:///{file}")
        elsewhere = Caller(others, caller.customer, caller.key, caller.secret)
        acknowledged += served(elsewhere, 15)
        others.close()
    acknowledged += served(caller, 5)
    books.close()
    assert sorted(billed(file)) == sorted(acknowledged)
