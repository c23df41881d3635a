"""Proof, replay, documents, export, backup and restore, typed at the shell."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from modelmint.bootstrap import open_shop
from modelmint.kit.clock import ManualClock, SystemClock
from modelmint.kit.period import month_of
from modelmint.testing.books import Caller
from modelmint.testing.shops import Furnished, furnish


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """One invoice over last month's calls."""
    made = furnish(tmp_path_factory.mktemp("shop") / "brightness")
    clock = ManualClock(month_of(SystemClock().now()).start - timedelta(days=5))
    with open_shop(made.root, clock=clock) as opened:
        customer = opened.books.add_customer("=诊所", "desk@west.example")
        opened.books.subscribe(customer.id, "payg")
        key, secret = opened.books.add_key(customer.id, "first")
        Caller(opened.books, customer, key, secret, made.model).call(10, times=2)
        opened.books.close_period(customer.id, month_of(clock.at), "not for clinical use", until_now=True)
    return made


@pytest.fixture
def copy(shop: Furnished, tmp_path: Path) -> Path:
    """The same shop, to be harmed."""
    return Path(shutil.copytree(shop.root, tmp_path / "copy"))


def test_sound_books_verify_and_the_head_can_be_noted(modelmint, shop: Furnished) -> None:
    head = modelmint("-C", str(shop.root), "--json", "ledger", "head").json["head"]
    told = modelmint("-C", str(shop.root), "--json", "ledger", "verify", "--deep", "--head", head)
    assert (told.code, told.json["sound"], told.json["head"]) == (0, True, head)
    assert "chained without a break" in modelmint("-C", str(shop.root), "ledger", "verify").out


def test_broken_books_end_with_nine_and_name_the_row(modelmint, copy: Path) -> None:
    books = sqlite3.connect(copy / ".modelmint" / "books.sqlite")
    with books:
        books.execute("DROP TRIGGER ledger_entries_no_update")
        books.execute("UPDATE ledger_entries SET minor = minor + 1 WHERE seq = 2")
    books.close()
    told = modelmint("-C", str(copy), "--json", "ledger", "verify")
    assert (told.code, told.json["error"]["code"]) == (9, "ledger_broken")
    assert told.json["error"]["problems"][0].startswith("ledger_entries 2 ")
    plain = modelmint("-C", str(copy), "ledger", "verify")
    assert plain.code == 9
    assert "was changed" in plain.err


def test_an_invoice_is_replayed_from_the_books_and_from_two_files(modelmint, shop: Furnished, tmp_path: Path) -> None:
    told = modelmint("-C", str(shop.root), "--json", "invoices", "replay", "1")
    assert (told.code, told.json["same"]) == (0, True)
    assert told.json["digest"] == told.json["booked"]
    segment = tmp_path / "segment.jsonl"
    out = modelmint("-C", str(shop.root), "--json", "ledger", "export", "--invoice", "1", "-o", str(segment))
    assert out.code == 0
    assert "诊所" not in segment.read_text() + (tmp_path / "segment.jsonl.plan.json").read_text()
    elsewhere = modelmint("invoices", "replay", "--segment", str(segment))
    assert (elsewhere.code, "byte for byte" in elsewhere.out) == (0, True)
    segment.write_text(segment.read_text().replace('\\"notice\\":\\"not', '\\"notice\\":\\"now'))
    harmed = modelmint("--json", "invoices", "replay", "--segment", str(segment))
    assert (harmed.code, harmed.json["error"]["code"]) == (9, "replay_differs")


@pytest.mark.parametrize("words", [(), ("1", "--segment", "x"), ("--segment", "gone.jsonl")])
def test_replay_says_what_it_needs(modelmint, shop: Furnished, words: tuple[str, ...]) -> None:
    told = modelmint("-C", str(shop.root), "--json", "invoices", "replay", *words)
    assert told.code in (2, 9)
    assert told.json["error"]["code"] in ("bad_usage", "bad_segment")


def test_an_invoice_is_shown_as_text_page_and_json(modelmint, shop: Furnished, tmp_path: Path) -> None:
    show = ("-C", str(shop.root), "invoices", "show", "1")
    assert "INVOICE 1" in modelmint(*show).out
    assert "账单 1" in modelmint(*show, "--language", "zh").out
    assert "<!doctype html>" in modelmint(*show, "--format", "html").out
    assert json.loads(modelmint(*show, "--format", "json").out)["number"] == 1
    page = tmp_path / "invoice.html"
    assert modelmint(*show, "--format", "html", "-o", str(page)).code == 0
    assert "=诊所" in page.read_text(encoding="utf-8")
    assert modelmint(*show, "--format", "pdf").code == 2
    assert modelmint(*show, "--format", "exe").code == 2
    assert modelmint(*show, "--language", "xx").code == 2


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_ledger_and_invoices_are_exported(modelmint, shop: Furnished, tmp_path: Path, form: str) -> None:
    for what in ("ledger", "invoices"):
        file = tmp_path / f"{what}.{form}"
        told = modelmint("-C", str(shop.root), "--json", what, "export", "--format", form, "-o", str(file))
        if told.code == 8:
            pytest.skip("needs the extra 'parquet'")
        assert (told.code, file.exists()) == (0, True)
        assert told.json["rows"] >= 1
    if form == "csv":
        with (tmp_path / "invoices.csv").open(newline="", encoding="utf-8") as rows:
            assert next(csv.DictReader(rows))["customer_name"] == "'=诊所"


def test_the_ledger_of_a_month_is_exported_alone(modelmint, shop: Furnished, tmp_path: Path) -> None:
    words = ("-C", str(shop.root), "--json", "ledger", "export", "-o", str(tmp_path / "x"))
    assert modelmint(*words, "--from", "2020-01").json["rows"] == 0
    assert modelmint(*words, "--from", "2020-01", "--to", "2090-12").json["rows"] >= 2
    assert modelmint(*words, "--to", "2020-01").code == 2


def test_books_are_backed_up_and_restored_into_an_empty_folder(modelmint, shop: Furnished, tmp_path: Path) -> None:
    file = tmp_path / "books.backup"
    made = modelmint("-C", str(shop.root), "--json", "store", "backup", str(file))
    assert made.code == 0
    assert modelmint("-C", str(shop.root), "--json", "store", "backup", str(file)).code == 4
    there = tmp_path / "there"
    there.mkdir()
    shutil.copy(shop.root / "venture.toml", there)
    told = modelmint("-C", str(there), "--json", "store", "restore", str(file), "--sha256", made.json["sha256"])
    assert (told.code, told.json["head"]) == (0, made.json["head"])
    assert modelmint("-C", str(there), "--json", "ledger", "verify", "--deep").json["sound"] is True
    assert modelmint("-C", str(there), "--json", "invoices", "show", "1").json["invoice"]["number"] == 1
    again = modelmint("-C", str(there), "--json", "store", "restore", str(file))
    assert (again.code, again.json["error"]["code"]) == (4, "books_not_empty")


def test_a_harmed_backup_ends_with_nine(modelmint, shop: Furnished, tmp_path: Path) -> None:
    file = tmp_path / "books.backup"
    modelmint("-C", str(shop.root), "store", "backup", str(file))
    file.write_bytes(file.read_bytes()[:-100])
    (tmp_path / "venture.toml").write_bytes((shop.root / "venture.toml").read_bytes())
    told = modelmint("--json", "store", "restore", str(file))
    assert (told.code, told.json["error"]["code"]) == (9, "backup_corrupted")


def test_the_store_says_where_it_lies(modelmint, shop: Furnished, tmp_path: Path) -> None:
    told = modelmint("-C", str(shop.root), "--json", "store", "info").json
    assert (told["kind"], told["rows"]["invoices"]) == ("sqlite", 1)
    assert modelmint("-C", str(shop.root), "store", "info").code == 0
    (tmp_path / "venture.toml").write_bytes((shop.root / "venture.toml").read_bytes())
    assert modelmint("--json", "store", "info").code == 3
