"""Paying partners out, on both stores: once, never more than is owed, in the ledger and on the statement."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from modelmint.commerce.channels.errors import (
    BadPayOut,
    NothingOwed,
    PayOutExists,
    PayOutTooLarge,
    StatementNotClosed,
)
from modelmint.commerce.channels.types import Partner
from modelmint.commerce.ledger.postings import balances
from modelmint.kit.clock import ManualClock
from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import Money
from modelmint.kit.period import Period, month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, some_plans

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
NOVEMBER = month_of(START)
DECEMBER = month_of(NOVEMBER.end)
TABLES = {"payg": {"per_call": "1 USD"}}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    opened.put_plans(some_plans(TABLES))
    yield opened
    opened.close()


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def earned(books: SqlBooks, clock: ManualClock, calls: int = 10, terms: str = "commission") -> tuple[Partner, Caller]:
    """A partner with 20 % of so many calls at 1 USD in November, booked."""
    partner = books.channels.add_partner(books.add_customer("Reseller", "").id, terms, "20 %")
    customer = books.channels.add_customer(partner.id, "Clinic North", "")
    books.subscribe(customer.id, "payg")
    who = Caller(books, customer, *books.add_key(customer.id, "first"))
    who.call(calls)
    clock.at = NOVEMBER.end - timedelta(seconds=1)
    books.close_period(customer.id, NOVEMBER, "", until_now=True)
    clock.at = NOVEMBER.end + timedelta(days=5)
    books.channels.close_statement(partner.id, NOVEMBER)
    return partner, who


def paid(books: SqlBooks, partner: Partner, period: Period = NOVEMBER) -> Money:
    (found,) = books.channels.statement(partner.id, period)
    return found.paid


def held(books: SqlBooks, account: str) -> int:
    return balances(books.ledger()).get((account, "USD"), usd(0)).minor


def sound(books: SqlBooks) -> bool:
    return books.journal.verify(raw=True).findings == ()


def test_a_pay_out_moves_what_was_owed_from_the_partners_account_to_cash(books: SqlBooks, clock: ManualClock) -> None:
    partner, _ = earned(books, clock)
    assert held(books, f"payable:{partner.id}") == -200
    (found,) = books.channels.pay_out(partner.id, NOVEMBER, reference="transfer 4711")
    assert (found.share, found.paid) == (usd(200), usd(200))
    assert (held(books, f"payable:{partner.id}"), held(books, "cash:manual")) == (0, -200)
    assert books.channels.statement("Reseller", NOVEMBER) == [found]
    last = books.people.audit(limit=1)[0]
    assert (last.action, last.subject) == ("statement.paid_out", partner.id)
    assert last.data == {"customer": partner.customer, "month": "2026-11", "amount": "2.00 USD"}
    assert sound(books)


def test_a_pay_out_earns_nothing_and_changes_no_statement_and_no_report(books: SqlBooks, clock: ManualClock) -> None:
    partner, _ = earned(books, clock)
    before, report = books.channels.statement(partner.id, NOVEMBER), books.channels.report(DECEMBER)
    books.channels.pay_out(partner.id, NOVEMBER, usd(50))
    (after,) = books.channels.statement(partner.id, NOVEMBER)
    assert (after.share, after.net, after.closed_at) == (before[0].share, before[0].net, before[0].closed_at)
    assert books.channels.report(DECEMBER) == report
    assert books.channels.statement(partner.id, DECEMBER) == []
    assert books.channels.close_statement(partner.id, NOVEMBER) == [after]


def test_the_same_pay_out_twice_is_one(books: SqlBooks, clock: ManualClock) -> None:
    partner, _ = earned(books, clock)
    once = books.channels.pay_out(partner.id, NOVEMBER, usd(50), "first")
    entries = books.ledger()
    clock.advance(timedelta(days=1))
    assert books.channels.pay_out(partner.id, NOVEMBER, usd(50), "first") == once
    assert books.channels.pay_out(partner.id, NOVEMBER, None, "first") == once
    assert books.ledger() == entries
    with pytest.raises(PayOutExists, match=r"0\.50 USD was paid out under the reference 'first' before"):
        books.channels.pay_out(partner.id, NOVEMBER, usd(60), "first")
    books.channels.pay_out(partner.id, NOVEMBER)
    assert paid(books, partner) == usd(200)
    books.channels.pay_out(partner.id, NOVEMBER)
    assert paid(books, partner) == usd(200)


def test_pay_outs_from_many_threads_never_exceed_what_is_owed(books: SqlBooks, clock: ManualClock) -> None:
    partner, _ = earned(books, clock)
    refused: list[ModelmintError] = []

    def pay(reference: str) -> None:
        try:
            books.channels.pay_out(partner.id, NOVEMBER, usd(70), reference)
        except PayOutTooLarge as refusal:
            refused.append(refusal)

    payers = [threading.Thread(target=pay, args=(f"transfer {n}",)) for n in range(6)]
    for payer in payers:
        payer.start()
    for payer in payers:
        payer.join()
    assert (paid(books, partner), len(refused)) == (usd(140), 4)
    assert sound(books)


def test_more_than_the_statement_leaves_open_is_refused_and_nothing_is_booked(
    books: SqlBooks, clock: ManualClock
) -> None:
    partner, _ = earned(books, clock)
    entries = books.ledger()
    with pytest.raises(PayOutTooLarge, match=r"2\.00 USD of the statement of 2026-11 are owed") as refused:
        books.channels.pay_out(partner.id, NOVEMBER, usd(201))
    assert refused.value.details == {"owed": "2.00 USD"}
    assert books.ledger() == entries
    books.channels.pay_out(partner.id, NOVEMBER)
    with pytest.raises(NothingOwed):
        books.channels.pay_out(partner.id, NOVEMBER, reference="again")


def test_what_was_voided_later_lowers_what_may_be_paid_out(books: SqlBooks, clock: ManualClock) -> None:
    partner, who = earned(books, clock)
    (invoice,) = books.invoices(who.customer.id)
    who.call(3)
    clock.at = DECEMBER.end - timedelta(seconds=1)
    books.bills.void(invoice.id, "wrong")
    books.close_period(who.customer.id, DECEMBER, "", until_now=True)
    clock.at = DECEMBER.end
    books.channels.close_statement(partner.id, DECEMBER)
    # 20 % of 10.00, then of 3.00 - 10.00: 2.00 - 1.40 are owed in all
    with pytest.raises(PayOutTooLarge, match=r"0\.60 USD"):
        books.channels.pay_out(partner.id, NOVEMBER, usd(61))
    books.channels.pay_out(partner.id, NOVEMBER)
    assert (paid(books, partner), held(books, f"payable:{partner.id}")) == (usd(60), 0)


def test_a_statement_that_can_still_change_is_not_paid_out(books: SqlBooks, clock: ManualClock) -> None:
    partner, who = earned(books, clock)
    who.call(3)
    clock.at = DECEMBER.end - timedelta(seconds=1)
    books.close_period(who.customer.id, DECEMBER, "", until_now=True)
    with pytest.raises(StatementNotClosed):
        books.channels.pay_out(partner.id, DECEMBER)
    with pytest.raises(NothingOwed):
        books.channels.pay_out(partner.id, month_of(DECEMBER.end))


@pytest.mark.parametrize(("minor", "reference"), [(0, ""), (-1, ""), (1, "x" * 101), (1, "two\nlines")])
def test_a_pay_out_that_makes_no_sense_is_refused(
    books: SqlBooks, clock: ManualClock, minor: int, reference: str
) -> None:
    partner, _ = earned(books, clock)
    with pytest.raises(BadPayOut):
        books.channels.pay_out(partner.id, NOVEMBER, usd(minor), reference)
    with pytest.raises(NothingOwed):
        books.channels.pay_out(partner.id, NOVEMBER, Money(1, "EUR"))
    assert paid(books, partner) == usd(0)


def test_a_wholesale_partner_keeps_its_margin_and_is_paid_nothing_beside(books: SqlBooks, clock: ManualClock) -> None:
    partner, _ = earned(books, clock, terms="wholesale")
    # 10.00 retail, 2.00 margin: it owes us 8.00
    with pytest.raises(PayOutTooLarge):
        books.channels.pay_out(partner.id, NOVEMBER, usd(1))
    with pytest.raises(NothingOwed):
        books.channels.pay_out(partner.id, NOVEMBER)


def test_a_wholesale_partner_whose_customers_paid_us_ahead_is_paid_its_margin(
    books: SqlBooks, clock: ManualClock
) -> None:
    partner = books.channels.add_partner(books.add_customer("Reseller", "").id, "wholesale", "20 %")
    customer = books.channels.add_customer(partner.id, "Clinic North", "")
    books.subscribe(customer.id, "payg")
    books.credits.grant(customer.id, usd(900))
    Caller(books, customer, *books.add_key(customer.id, "first")).call(10)
    clock.at = NOVEMBER.end - timedelta(seconds=1)
    books.close_period(customer.id, NOVEMBER, "", until_now=True)
    clock.at = NOVEMBER.end
    (closed,) = books.channels.close_statement(partner.id, NOVEMBER)
    # 9.00 of 10.00 were paid ahead: the partner is due 1.00 from its customer and owes us 1.00 - 2.00
    assert (closed.share, closed.owed) == (usd(200), usd(-100))
    (after,) = books.channels.pay_out(partner.id, NOVEMBER)
    assert after.paid == usd(100)
    assert sound(books)
