"""Books backed up from either database and restored into either, proved equal; a damaged backup restores nothing."""

from __future__ import annotations

import json
import shutil
import stat
import threading
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, inspect, text

from modelmint.kit.clock import ManualClock
from modelmint.kit.digest import digest_file
from modelmint.kit.period import month_of
from modelmint.store.backup import back_up, look, read_manifest, restore
from modelmint.store.errors import BackupCorrupted, BooksNotEmpty, NewerBooks, NoBooks
from modelmint.store.migrate import HEAD
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
NOVEMBER = month_of(START)


def filled(url: str) -> Caller:
    """Calls of two customers, refused ones, an idempotent one with its answer, a closing; one call still open."""
    books = open_books(url, ManualClock(START), "诊所")
    caller, other = a_caller(books, "clinic", "北方诊所"), a_caller(books, "trial", "South")
    caller.call(3, times=4)
    other.call(1, times=2)
    kept = caller.reserve(idempotency_key="once", body_digest="x")
    caller.settle(kept, answer=b"\x00\xff answer")
    books.refuse(caller.request(), 422, "not_a_picture").result(60)
    books.close_period(caller.customer.id, NOVEMBER, "notice", until_now=True)
    caller.call()
    caller.reserve()
    books.close()
    return caller


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database in which nothing was ever made."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / uuid.uuid4().hex}.sqlite"
    return str(request.getfixturevalue("postgres").empty_database())


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup as it should be."""
    folder = tmp_path_factory.mktemp("sound")
    filled(f"sqlite:///{folder / 'books.sqlite'}")
    back_up(f"sqlite:///{folder / 'books.sqlite'}", folder / "books.backup", START)
    return folder / "books.backup"


def test_books_come_back_whole_in_either_database_and_go_on(url: str, target: str, tmp_path: Path) -> None:
    caller = filled(url)
    file = tmp_path / "books.backup"
    manifest, sha256 = back_up(url, file, START)
    assert (manifest.revision, manifest.venture, manifest.findings) == (HEAD, look(url).venture, ())
    assert restore(target, file, sha256) == manifest == read_manifest(file)
    again, _ = back_up(target, tmp_path / "again.backup", START)
    assert again == manifest

    later = ManualClock(START + timedelta(hours=1))
    old, new = open_books(url, later), open_books(target, later)
    assert new.ledger() == old.ledger()
    assert new.invoices() == old.invoices()
    assert new.customers() == old.customers()
    assert list(new.outcomes()) == list(old.outcomes())
    assert new.journal.verify(raw=True, noted=manifest.head).findings == ()
    here = Caller(new, caller.customer, caller.key, caller.secret)
    here.call(2)
    replayed = here.reserve(idempotency_key="once", body_digest="x")
    assert replayed.replay == b"\x00\xff answer"
    before = len(new.invoices())
    made = new.close_period(caller.customer.id, NOVEMBER, "notice", until_now=True)
    assert made[-1].number == before + 1
    assert new.journal.verify(raw=True).findings == ()
    new.close()
    old.close()


def test_a_backup_is_one_moment_of_books_that_are_in_use(url: str, tmp_path: Path) -> None:
    caller = filled(url)
    books = open_books(url, ManualClock(START))
    here = Caller(books, caller.customer, caller.key, caller.secret)
    stop = threading.Event()

    def goes_on() -> None:
        while not stop.is_set():
            here.call()
            books.close_period(caller.customer.id, NOVEMBER, "notice", until_now=True)

    others = threading.Thread(target=goes_on)
    others.start()
    try:
        files = [tmp_path / f"{n}.backup" for n in range(3)]
        for file in files:
            back_up(url, file, START)
    finally:
        stop.set()
        others.join()
    books.close()
    for number, file in enumerate(files):
        place = f"sqlite:///{tmp_path / f'{number}.sqlite'}"
        restore(place, file)
        opened = open_books(place)
        assert opened.journal.verify(raw=True).findings == ()
        opened.close()


def test_a_backup_is_for_its_owner_only(sound: Path) -> None:
    assert stat.S_IMODE(sound.stat().st_mode) == 0o600


def test_books_in_use_are_not_restored_over(url: str, tmp_path: Path) -> None:
    filled(url)
    back_up(url, tmp_path / "books.backup", START)
    before = look(url)
    with pytest.raises(BooksNotEmpty, match="empty database"):
        restore(url, tmp_path / "books.backup")
    assert look(url) == before


def test_empty_books_are_backed_up_and_restored(url: str, target: str, tmp_path: Path) -> None:
    open_books(url, venture_name="new").close()
    back_up(url, tmp_path / "books.backup", START)
    assert restore(target, tmp_path / "books.backup").entries == 0
    assert look(target).venture in ("new", "")


def test_a_database_without_books_is_not_backed_up(target: str, tmp_path: Path) -> None:
    with pytest.raises(NoBooks):
        back_up(target, tmp_path / "books.backup", START)
    assert not (tmp_path / "books.backup").exists()
    with pytest.raises(NoBooks):
        look(target)


Harm = Callable[[Path], None]


def repacked(change: Callable[[dict[str, bytes]], None]) -> Harm:
    def harm(file: Path) -> None:
        with zipfile.ZipFile(file) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        change(members)
        with zipfile.ZipFile(file, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return harm


def in_table(table: str, old: bytes, new: bytes) -> Harm:
    def change(members: dict[str, bytes]) -> None:
        name = f"tables/{table}.jsonl"
        assert old in members[name]
        members[name] = members[name].replace(old, new, 1)

    return repacked(change)


def with_digests(table: str, old: bytes, new: bytes) -> Harm:
    """The forger makes the manifest's digest anew."""

    def change(members: dict[str, bytes]) -> None:
        from hashlib import sha256

        name = f"tables/{table}.jsonl"
        assert old in members[name]
        members[name] = members[name].replace(old, new, 1)
        manifest = json.loads(members["manifest.json"])
        rows = members[name].count(b"\n")
        manifest["tables"][table] = {"rows": rows, "sha256": sha256(members[name]).hexdigest()}
        members["manifest.json"] = json.dumps(manifest).encode()

    return repacked(change)


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])


def _flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    file.write_bytes(bytes(content))


def _less(members: dict[str, bytes]) -> None:
    del members["tables/burns.jsonl"]


def _more(members: dict[str, bytes]) -> None:
    members["tables/gifts.jsonl"] = b"{}\n"


def _newer(members: dict[str, bytes]) -> None:
    members["manifest.json"] = members["manifest.json"].replace(HEAD.encode(), b"9999")


@pytest.mark.parametrize(
    "harm",
    [
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"no zip at all"),
        _cut,
        _flipped,
        repacked(_less),
        repacked(_more),
        repacked(lambda members: members.pop("manifest.json") and None),
        repacked(lambda members: members.update({"manifest.json": b"{}"})),
        in_table("ledger_entries", b'"minor":', b'"minor":1'),
        with_digests("ledger_entries", b'"minor":', b'"minor":1'),
        with_digests("customers", b'"anchor":1', b'"anchor":"1"'),
        with_digests("customers", b'"anchor":1,', b""),
        with_digests("invoices", b"notice", b"n0tice"),
    ],
    ids=["gone", "empty", "no zip", "cut", "flipped", "less", "more", "no manifest", "another manifest", "row",
         "row and digest", "text for a number", "column", "invoice and digest"],
)  # fmt: skip
def test_a_damaged_backup_restores_nothing(sound: Path, tmp_path: Path, harm: Harm) -> None:
    file = Path(shutil.copy(sound, tmp_path))
    harm(file)
    refused(f"sqlite:///{tmp_path / 'new.sqlite'}", file)


def refused(target: str, file: Path) -> None:
    with pytest.raises(BackupCorrupted):
        restore(target, file)
    engine = create_engine(target)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_books_that_do_not_prove_right_are_rolled_back_whole(sound: Path, target: str, tmp_path: Path) -> None:
    file = Path(shutil.copy(sound, tmp_path))
    with_digests("invoices", b"notice", b"n0tice")(file)
    refused(target, file)


def test_a_backup_with_another_sha256_than_was_noted_is_refused(sound: Path, target: str, tmp_path: Path) -> None:
    file, sha256 = Path(shutil.copy(sound, tmp_path)), digest_file(sound)
    with_digests("customers", "北方诊所".encode(), "南方诊所".encode())(file)
    assert digest_file(file) != sha256
    with pytest.raises(BackupCorrupted, match="not the backup that was noted"):
        restore(target, file, sha256)


def test_a_backup_of_a_newer_modelmint_is_left_alone(sound: Path, target: str, tmp_path: Path) -> None:
    file = Path(shutil.copy(sound, tmp_path))
    repacked(_newer)(file)
    with pytest.raises(NewerBooks):
        restore(target, file)


def test_books_of_the_first_release_are_backed_up_as_they_are_and_restored_into_the_newest_schema(
    target: str, tmp_path: Path
) -> None:
    old = f"sqlite:///{tmp_path / 'old.sqlite'}"
    engine = create_engine(old)
    config = Config()
    config.set_main_option("script_location", "modelmint.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO customers (id, name, email, created_at) VALUES ('cus_a', 'A', '', 1)"))
        for minor in (250, -250):
            connection.execute(
                text(
                    'INSERT INTO ledger_entries (id, "transaction", account, minor, currency, at, memo, data) '
                    f"VALUES ('leg_{minor}', 'txn', 'receivable:cus_a', {minor}, 'USD', 5, 'opening', '{{}}')"
                )
            )
    engine.dispose()
    manifest, _ = back_up(old, tmp_path / "books.backup", START)
    assert manifest.revision == "0001"
    restore(target, tmp_path / "books.backup")
    books = open_books(target)
    assert [customer.name for customer in books.customers()] == ["A"]
    assert books.journal.verify(raw=True).findings == ()
    assert all(entry.hash for entry in books.ledger())
    books.close()
