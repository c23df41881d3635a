"""``ledger verify`` names the first broken row, whatever somebody did to the database behind the books' back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, create_engine, text

from modelmint.commerce.ledger.types import Verdict
from modelmint.kit.canonical import canonical_json
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.store.schema import APPEND_ONLY
from modelmint.testing.books import a_caller

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
NOVEMBER, DECEMBER = month_of(START), month_of(datetime(2026, 12, 1, tzinfo=UTC))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    """Two customers, two months, one of them billed in two parts: five invoices."""
    opened = open_books(url, clock)
    north, south = a_caller(opened, "clinic", "North"), a_caller(opened, "payg", "South")
    for caller in (north, south):
        caller.call(3, times=4)
        caller.settle(caller.reserve(), 500, "engine_failed")
    opened.close_period(north.customer.id, NOVEMBER, "notice", until_now=True)
    clock.advance(timedelta(hours=1))
    north.call(5)
    clock.at = NOVEMBER.end + timedelta(hours=1)
    for caller in (north, south):
        opened.close_period(caller.customer.id, NOVEMBER, "notice")
        caller.call(2)
    clock.at = DECEMBER.end
    for caller in (north, south):
        opened.close_period(caller.customer.id, DECEMBER, "notice")
    yield opened
    opened.close()


def breaking(url: str, *statements: str, change: Callable[[Connection], None] | None = None) -> None:
    """What somebody does who owns the database file: the guards go first."""
    engine = create_engine(url)
    with engine.begin() as connection:
        for table in APPEND_ONLY:
            if engine.dialect.name == "sqlite":
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_update"))
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_delete"))
            else:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_append_only ON {table}"))
        for statement in statements:
            connection.execute(text(statement))
        if change is not None:
            change(connection)
    engine.dispose()


def first(verdict: Verdict) -> tuple[str, str, str]:
    found = verdict.findings[0]
    return found.table, found.row.split()[0], found.problem


def test_sound_books_verify_and_the_head_is_the_last_hash(books: SqlBooks) -> None:
    verdict = books.journal.verify(raw=True)
    assert verdict.findings == ()
    assert verdict.invoices == len(books.invoices()) == 5
    entries = books.ledger()
    assert verdict.entries == len(entries)
    assert books.journal.head() == (len(entries), verdict.head) == (len(entries), entries[-1].hash)


def test_empty_books_verify(url: str) -> None:
    opened = open_books(url)
    assert opened.journal.verify(raw=True) == Verdict(0, 0, 0, "", ())
    opened.close()


@pytest.mark.parametrize(
    "edit",
    [
        "minor = minor + 1",
        "account = 'receivable:cus_x'",
        "at = at + 1",
        "memo = 'gift'",
        "currency = 'EUR'",
        "data = '{}'",
        "data = ' ' || data",
        "data = 'nonsense'",
        "currency = 'XXX'",
        "hash = ''",
        "id = 'leg_x'",
    ],
)
def test_an_entry_edited_in_the_middle_is_named(books: SqlBooks, url: str, edit: str) -> None:
    breaking(url, f"UPDATE ledger_entries SET {edit} WHERE seq = 3")
    table, row, _ = first(books.journal.verify())
    assert (table, row) == ("ledger_entries", "3")


def test_an_entry_edited_at_the_end_is_named(books: SqlBooks, url: str) -> None:
    seq, _ = books.journal.head()
    breaking(url, f"UPDATE ledger_entries SET minor = minor + 1 WHERE seq = {seq}")
    assert first(books.journal.verify())[:2] == ("ledger_entries", str(seq))


def test_a_deleted_entry_shows_at_the_one_after_it(books: SqlBooks, url: str) -> None:
    breaking(url, "DELETE FROM ledger_entries WHERE seq = 3")
    table, row, problem = first(books.journal.verify())
    assert (table, row) == ("ledger_entries", "4")
    assert "1 before it may be missing" in problem


def test_two_entries_that_changed_places_are_found(books: SqlBooks, url: str) -> None:
    breaking(
        url,
        "UPDATE ledger_entries SET seq = 0 WHERE seq = 2",
        "UPDATE ledger_entries SET seq = 2 WHERE seq = 3",
        "UPDATE ledger_entries SET seq = 3 WHERE seq = 0",
    )
    assert first(books.journal.verify())[:2] == ("ledger_entries", "2")


def test_a_cut_tail_is_found_by_a_head_that_was_noted(books: SqlBooks, url: str) -> None:
    seq, noted = books.journal.head()
    last = books.ledger()[-1].transaction
    breaking(
        url,
        f"DELETE FROM ledger_entries WHERE \"transaction\" = '{last}'",
        f"DELETE FROM invoices WHERE number = {len(books.invoices())}",
    )
    assert books.journal.verify().findings == ()
    table, _, problem = first(books.journal.verify(noted=noted))
    assert table == "ledger_entries"
    assert "cut off" in problem
    assert books.journal.head()[0] < seq


def test_a_head_noted_long_ago_still_holds(books: SqlBooks) -> None:
    noted = books.ledger()[1].hash
    assert books.journal.verify(noted=noted).findings == ()


def rechained(connection: Connection) -> None:
    """The forger knows the formula and makes every hash anew."""
    from modelmint.commerce.ledger.chain import START as BEGIN
    from modelmint.commerce.ledger.chain import link
    from modelmint.store.entries import entries_of

    former = BEGIN
    for entry in list(entries_of(connection)):
        former = link(former, entry)
        connection.execute(text("UPDATE ledger_entries SET hash = :h WHERE seq = :s"), {"h": former, "s": entry.seq})


def test_a_forger_who_makes_the_chain_anew_is_caught_by_the_balance(books: SqlBooks, url: str) -> None:
    breaking(url, "UPDATE ledger_entries SET minor = minor + 1 WHERE seq = 3", change=rechained)
    table, _, problem = first(books.journal.verify())
    assert table == "ledger_entries"
    assert "not to zero" in problem


def test_a_forger_who_keeps_the_balance_is_caught_by_the_invoice(books: SqlBooks, url: str) -> None:
    breaking(
        url,
        'UPDATE ledger_entries SET minor = minor * 2 WHERE "transaction" = '
        '(SELECT "transaction" FROM ledger_entries WHERE seq = 1)',
        change=rechained,
    )
    table, row, problem = first(books.journal.verify())
    assert (table, row) == ("invoices", "1")
    assert "other amounts" in problem


def test_a_chain_made_anew_does_not_hold_the_noted_head(books: SqlBooks, url: str) -> None:
    _, noted = books.journal.head()
    breaking(url, "UPDATE ledger_entries SET memo = 'gift' WHERE seq = 1", change=rechained)
    assert books.journal.verify().findings == ()
    assert books.journal.verify(noted=noted).findings != ()


def edit_body(number: int, **more: object) -> Callable[[Connection], None]:
    def change(connection: Connection) -> None:
        query = text("SELECT body FROM invoices WHERE number = :n")
        body = json.loads(connection.execute(query, {"n": number}).scalar_one())
        new = canonical_json({**body, **more}).decode()
        connection.execute(text("UPDATE invoices SET body = :b WHERE number = :n"), {"b": new, "n": number})

    return change


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"notice": "another"}, "another sha256"),
        ({"lines": []}, "its lines come to 0.00 USD"),
        ({"due": {"amount": "0.00", "currency": "USD", "minor": 0}}, "total less credit"),
        ({"customer": "cus_x"}, "name another"),
        ({"lines": [{}]}, "cannot be read"),
        ({"currency": "XXX"}, "unknown currency"),
    ],
)
def test_an_edited_invoice_is_named(books: SqlBooks, url: str, more: dict[str, object], problem: str) -> None:
    breaking(url, change=edit_body(2, **more))
    table, row, said = first(books.journal.verify())
    assert (table, row) == ("invoices", "2")
    assert problem in said


def test_edited_inputs_of_an_invoice_are_found(books: SqlBooks, url: str) -> None:
    breaking(url, "UPDATE invoices SET inputs = '{}' WHERE number = 2")
    table, row, problem = first(books.journal.verify())
    assert (table, row) == ("invoices", "2")
    assert "computed from" in problem


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_deleted_invoice_is_named(books: SqlBooks, url: str, number: int) -> None:
    breaking(url, f"DELETE FROM invoices WHERE number = {number}")
    table, row, problem = first(books.journal.verify())
    assert (table, row) == ("invoices", str(number))
    assert f"no invoice {number}" in problem


def test_an_invoice_whose_posting_is_gone_is_named(books: SqlBooks, url: str) -> None:
    breaking(
        url,
        'DELETE FROM ledger_entries WHERE "transaction" = (SELECT "transaction" FROM ledger_entries WHERE seq = 1)',
        change=rechained,
    )
    table, row, problem = first(books.journal.verify())
    assert (table, row) == ("invoices", "1")
    assert "no posting" in problem


def test_a_deleted_closing_leaves_usage_between_two(books: SqlBooks, url: str) -> None:
    breaking(
        url,
        "DELETE FROM closings WHERE seq = (SELECT min(seq) + 1 FROM closings)",
    )
    table, _, problem = first(books.journal.verify())
    assert table == "closings"
    assert "unbilled" in problem


def test_a_closing_that_reaches_back_bills_twice(books: SqlBooks, url: str) -> None:
    breaking(
        url,
        "UPDATE closings SET starts_at = starts_at - 1000 WHERE seq = (SELECT max(seq) FROM closings)",
    )
    table, _, problem = first(books.journal.verify())
    assert table == "closings"
    assert "billed twice" in problem


@pytest.fixture
def purse(books: SqlBooks, clock: ManualClock) -> SqlBooks:
    """Credit that paid an invoice, came back from a void one, ran out, and was given back by a credit note."""
    customer = books.customers()[0].id
    books.credits.grant(customer, Money(5000, "USD"))
    books.credits.grant(customer, Money(700, "USD"), expires_at=DECEMBER.end + timedelta(days=40), source="promotion")
    january = month_of(DECEMBER.end)
    clock.at = january.end
    (first,) = books.close_period(customer, january, "notice")
    clock.at = month_of(january.end).end
    (second,) = books.close_period(customer, month_of(january.end), "notice")
    assert first.credit.minor > 0
    books.credits.expire()
    if second.due.minor > 0:
        books.bills.void(second.id, "made in error")
    books.bills.credit_note(first.id, "counted twice", amount=Money(100, "USD"))
    return books


def test_credit_that_was_granted_burnt_given_back_and_run_out_verifies(purse: SqlBooks) -> None:
    assert purse.journal.verify(raw=True).findings == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE grants SET minor = minor + 1",
        "DELETE FROM burns",
        "UPDATE burns SET minor = 1000000",
        "UPDATE burns SET \"grant\" = 'gra_x'",
        "DELETE FROM grants",
    ],
)
def test_credit_that_was_tampered_with_is_found(purse: SqlBooks, url: str, statement: str) -> None:
    breaking(url, statement)
    assert {finding.table for finding in purse.journal.verify().findings} & {"grants", "burns"}


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM outcomes WHERE seq = 3",
        "UPDATE outcomes SET calls = calls + 1 WHERE seq = 3",
        "UPDATE outcomes SET model = 'other' WHERE seq = 3",
        "UPDATE outcomes SET billable = 0 WHERE seq = 3",
        "UPDATE call_rollups SET calls = calls - 1 WHERE calls > 0",
        "UPDATE call_rollups SET n = n + 1",
        "UPDATE call_rollups SET bucket = bucket + 86400000000",
    ],
)
def test_raw_calls_that_differ_from_their_roll_ups_are_found_by_the_deep_check(
    books: SqlBooks, url: str, statement: str
) -> None:
    breaking(url, statement)
    verdict = books.journal.verify(raw=True)
    assert verdict.findings[-1].table in ("call_rollups", "closings")
    assert any("differ" in finding.problem for finding in verdict.findings)


def test_calls_moved_over_a_cut_inside_a_day_are_found(books: SqlBooks, url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        cut = connection.execute(text("SELECT min(ends_at) FROM closings")).scalar_one()
    engine.dispose()
    midnight = cut - cut % 86_400_000_000
    breaking(
        url,
        "UPDATE call_rollups SET bucket = -1 WHERE billable = 1 AND customer = (SELECT min(customer) FROM closings)"
        f" AND bucket = {midnight}",
        f"UPDATE call_rollups SET bucket = {midnight} WHERE bucket = {cut}",
        f"UPDATE call_rollups SET bucket = {cut} WHERE bucket = -1",
    )
    verdict = books.journal.verify(raw=True)
    assert [finding.table for finding in verdict.findings] == ["closings"]
    assert "other side" in verdict.findings[0].problem
