"""Laws of the chain: whatever is done to the middle of the ledger shows, and segments are read as they were written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from modelmint.commerce.ledger.chain import START, chained, link
from modelmint.commerce.ledger.postings import balances, reversal, transaction
from modelmint.commerce.ledger.segment import from_text, to_lines
from modelmint.commerce.ledger.types import LedgerEntry, Segment
from modelmint.kit.money import EXPONENTS, Money

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
texts = st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)


@st.composite
def ledgers(draw: st.DrawFn) -> list[LedgerEntry]:
    found: list[LedgerEntry] = []
    for number in range(draw(st.integers(2, 6))):
        amount = Money(draw(st.integers(1, 10**12)), draw(st.sampled_from(sorted(EXPONENTS))))
        at = NOON + timedelta(microseconds=draw(st.integers(0, 10**12)))
        legs = [(draw(texts), amount, {"note": draw(texts)}), (draw(texts), -amount, {})]
        found += transaction(f"txn_{number}", at, draw(texts), legs)
    return list(chained(START, 0, found))


def holds(entries: list[LedgerEntry]) -> bool:
    former = START
    for entry in entries:
        if link(former, entry) != entry.hash:
            return False
        former = entry.hash
    return True


@given(ledgers(), st.data())
def test_an_entry_removed_doubled_moved_or_changed_before_the_end_breaks_the_chain(
    entries: list[LedgerEntry], data: st.DataObject
) -> None:
    assert holds(entries)
    at = data.draw(st.integers(0, len(entries) - 2))
    one, other = entries[at], entries[at + 1]
    assert not holds(entries[:at] + entries[at + 1 :])
    assert not holds([*entries[: at + 1], one, *entries[at + 1 :]])
    assert not holds([*entries[:at], other, one, *entries[at + 2 :]])
    changes = (
        {"memo": one.memo + "x"},
        {"account": one.account + "x"},
        {"amount": one.amount + Money(1, one.amount.currency)},
        {"at": one.at + timedelta(microseconds=1)},
        {"data": {**one.data, "more": 1}},
        {"id": one.id + "x"},
        {"transaction": one.transaction + "x"},
    )
    changed = replace(one, **data.draw(st.sampled_from(changes)))
    assert not holds([*entries[:at], changed, *entries[at + 1 :]])
    # The forger who hashes the changed entry anew is caught by the next one.
    former = entries[at - 1].hash if at else START
    assert not holds([*entries[:at], replace(changed, hash=link(former, changed)), *entries[at + 1 :]])


@given(ledgers(), texts, texts)
def test_a_segment_is_read_as_it_was_written(entries: list[LedgerEntry], inputs: str, plan: str) -> None:
    segment = Segment("inv_1", plan, "v1", START, inputs, tuple(entries))
    assert from_text("".join(to_lines(segment))) == segment


@given(ledgers())
def test_what_is_reversed_leaves_nothing_on_any_account(entries: list[LedgerEntry]) -> None:
    back = reversal(entries, "txn_back", NOON, "void")
    assert {balance.minor for balance in balances([*entries, *back]).values()} <= {0}
