"""An invoice is made again, byte for byte, from its ledger segment, its plan version and its releases alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modelmint.commerce.documents import plan_json
from modelmint.commerce.ledger.errors import BadSegment
from modelmint.commerce.ledger.replay import replay
from modelmint.commerce.ledger.segment import from_text, to_lines
from modelmint.commerce.ledger.types import Segment
from modelmint.kit.canonical import canonical_json
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import parse_price, written_price
from modelmint.kit.period import month_of
from modelmint.operations.replay import replay_files, replay_invoice
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
NOVEMBER = month_of(START)
Cut = tuple[Segment, dict[str, Any], tuple[str, ...]]


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> SqlBooks:
    """A fee, included calls, tiers, two releases with measured cost, a month in two parts."""
    clock = ManualClock(START)
    opened = open_books(f"sqlite:///{tmp_path_factory.mktemp('books') / 'books.sqlite'}", clock)
    caller = a_caller(opened, "clinic")
    costs = {"r1": written_price("0.003100000000000000417 USD"), "r2": parse_price("0.04 USD")}
    for release in ("r1", "r2"):
        for _ in range(4):
            caller.settle(caller.reserve(2), calls=2, items=2, release=release, variant="int8")
        opened.close_period(caller.customer.id, NOVEMBER, "not for clinical use", until_now=True, unit_costs=costs)
    clock.at = NOVEMBER.end
    opened.close_period(caller.customer.id, NOVEMBER, "not for clinical use", unit_costs=costs)
    return opened


@pytest.fixture(scope="module")
def cut(books: SqlBooks) -> Cut:
    segment = books.journal.segment("2")
    plan = plan_json.to_json(books.plan(segment.plan, segment.plan_version))
    return segment, json.loads(canonical_json(plan)), json.loads(segment.inputs)["releases"]


def test_every_invoice_comes_out_of_a_fresh_process_byte_for_byte(books: SqlBooks) -> None:
    made = books.invoices()
    assert len(made) >= 2
    for invoice in made:
        found = replay_invoice(books, invoice.id)
        assert found.same, (found.problems, found.difference)
        assert found.body == books.journal.frozen(invoice.id)


def test_two_files_are_enough(books: SqlBooks, cut: Cut, tmp_path: Path) -> None:
    segment, plan, _ = cut
    files = tmp_path / "segment.jsonl", tmp_path / "plan.json"
    files[0].write_text("".join(to_lines(segment)), encoding="utf-8")
    files[1].write_text(json.dumps(plan), encoding="utf-8")
    assert replay_files(*files).same


def test_the_process_that_replays_can_open_no_books() -> None:
    asked = (
        "import sys, modelmint.commerce.ledger.replay\n"
        "print([m for m in sys.modules if m.startswith(('sqlalchemy', 'sqlite3', 'psycopg', 'modelmint.store'))])"
    )
    told = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"


def test_a_segment_holds_no_name_and_no_address(books: SqlBooks, cut: Cut) -> None:
    text = "".join(to_lines(cut[0]))
    assert "Clinic North" not in text
    assert "@" not in text


def test_a_segment_is_read_as_it_was_written(cut: Cut) -> None:
    assert from_text("".join(to_lines(cut[0]))) == cut[0]


def changed(cut: Cut, old: str, new: str) -> Segment:
    text = "".join(to_lines(cut[0]))
    assert old in text
    return from_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('\\"tax_rate\\":\\"0\\"', '\\"tax_rate\\":\\"0.1\\"', "inputs are not the ones"),
        ('\\"notice\\":\\"not', '\\"notice\\":\\"now', "inputs are not the ones"),
        ('"memo":"invoice 2"', '"memo":"invoice 9"', "was changed"),
        ('"account":"revenue', '"account":"revenus', "was changed"),
        ('"unit_cost":"0.04 USD"', '"unit_cost":"0.09 USD"', "was changed"),
        ('"kind":"segment","plan":"clinic"', '"kind":"segment","plan":"gold"', "segment is of gold"),
    ],
)
def test_a_segment_that_was_tampered_with_is_told(cut: Cut, old: str, new: str, said: str) -> None:
    _, plan, releases = cut
    found = replay(changed(cut, old, new), plan, releases)
    assert not found.same
    assert said in " ".join(found.problems)


def test_a_leg_that_was_changed_is_shown_as_it_was_and_as_it_comes_out(cut: Cut) -> None:
    _, plan, releases = cut
    found = replay(changed(cut, '"memo":"invoice 2"', '"memo":"invoice 9"'), plan, releases)
    assert found.difference is not None
    assert "invoice 9" in found.difference[0]
    assert "invoice 2" in found.difference[1]


def _cheaper(plan: dict[str, Any]) -> None:
    plan["monthly"] = {**plan["monthly"], "minor": 1}


def _renamed(plan: dict[str, Any]) -> None:
    plan["title"] = "Another"


@pytest.mark.parametrize("change", [_cheaper, _renamed])
def test_other_terms_under_the_same_version_are_told(cut: Cut, change: Callable[[dict[str, Any]], None]) -> None:
    segment, plan, releases = cut
    other = json.loads(json.dumps(plan))
    change(other)
    found = replay(segment, other, releases)
    assert not found.same
    assert "they were changed" in " ".join(found.problems)


def test_another_release_makes_another_invoice(cut: Cut) -> None:
    segment, plan, _ = cut
    found = replay(segment, plan, ["r9"])
    assert found.digest != found.booked
    assert not found.same


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"kind":"segment","format":9}\n{"kind":"inputs"}'])
def test_what_is_no_segment_is_refused(text: str) -> None:
    with pytest.raises(BadSegment):
        from_text(text)


def test_inputs_that_make_no_sense_are_refused(cut: Cut) -> None:
    _, plan, releases = cut
    with pytest.raises(BadSegment):
        replay(changed(cut, '\\"cells\\"', '\\"sells\\"'), plan, releases)
