"""Partners, referral codes, statements and the channel report; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modelmint.commerce.channels.errors import (
    BadReferral,
    BadTerms,
    NotAPartner,
    PartnerExists,
    ReferralExists,
    StatementNotOver,
    UnknownPartner,
    UnknownReferral,
)
from modelmint.commerce.channels.types import Partner
from modelmint.commerce.errors import BadName, CustomerExists, UnknownCustomer
from modelmint.commerce.ledger.postings import balances
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.kit.period import BadPeriod, Period, month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
NOVEMBER = month_of(START)
DECEMBER = month_of(NOVEMBER.end)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    opened.put_plans(some_plans())
    yield opened
    opened.close()


def a_partner(books: SqlBooks, name: str = "Reseller", terms: str = "commission", rate: str = "20 %") -> Partner:
    return books.channels.add_partner(books.add_customer(name, "").id, terms, rate)


def an_end_customer(books: SqlBooks, partner: Partner, name: str = "Clinic North") -> Caller:
    customer = books.channels.add_customer(partner.id, name, "")
    books.subscribe(customer.id, "payg")
    return Caller(books, customer, *books.add_key(customer.id, "first"))


def bill(books: SqlBooks, clock: ManualClock, *callers: Caller, period: Period = NOVEMBER) -> list[int]:
    clock.at = max(clock.at, period.end - timedelta(seconds=1))
    made = []
    for caller in callers:
        made += books.close_period(caller.customer.id, period, "", until_now=clock.at < period.end)
    return [invoice.number for invoice in made]


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def test_a_partner_is_found_by_its_ids_and_by_name(books: SqlBooks) -> None:
    made = a_partner(books, rate="12.5 %")
    assert made.rate == Decimal("0.125")
    for wanted in (made.id, made.customer, "Reseller"):
        assert books.channels.partner(wanted) == made
    assert books.channels.partners() == [made]
    assert books.channels.partner_of(made.customer) == made
    with pytest.raises(UnknownPartner):
        books.channels.partner("Nobody")
    with pytest.raises(NotAPartner):
        books.channels.partner_of("cus_none")


def test_nobody_is_made_a_partner_twice_nor_a_partners_customer(books: SqlBooks) -> None:
    made = a_partner(books)
    with pytest.raises(PartnerExists):
        books.channels.add_partner(made.customer, "wholesale", "0.3")
    end = books.channels.add_customer(made.id, "Clinic North", "")
    with pytest.raises(PartnerExists):
        books.channels.add_partner(end.id, "commission", "0.1")


@pytest.mark.parametrize(
    ("terms", "rate"), [("barter", "20 %"), ("commission", "120 %"), ("commission", "-1 %"), ("wholesale", "some")]
)
def test_terms_that_cannot_be_are_refused_and_nothing_is_stored(books: SqlBooks, terms: str, rate: str) -> None:
    customer = books.add_customer("Reseller", "")
    with pytest.raises(BadTerms):
        books.channels.add_partner(customer.id, terms, rate)
    assert books.channels.partners() == []


def test_a_partner_sees_its_own_customers_and_nothing_tells_of_a_siblings(books: SqlBooks) -> None:
    one, other = a_partner(books, "Reseller"), a_partner(books, "Rival")
    mine, theirs = an_end_customer(books, one), an_end_customer(books, other, "Clinic Northwest")
    assert books.channels.customers(one.id) == [mine.customer]

    def said(wanted: str) -> str:
        with pytest.raises(UnknownCustomer) as refused:
            books.channels.customer(one.id, wanted)
        return str(refused.value).replace(wanted, "WANTED")

    never = said("cus_0000000000000000000000zz")
    assert said(theirs.customer.id) == never
    # A near miss of a sibling's name or of a direct customer's suggests neither.
    books.add_customer("Hospital South", "")
    assert said("Hospital Sout") == said("Hospital South") == never
    assert "Northwest" not in said("Clinic Northwest")


def test_two_partners_may_call_their_customers_the_same_and_a_refusal_tells_nothing(books: SqlBooks) -> None:
    one, other = a_partner(books, "Reseller"), a_partner(books, "Rival")
    books.add_customer("Clinic North", "direct@example.org")
    first = books.channels.add_customer(one.id, "Clinic North", "")
    second = books.channels.add_customer(other.id, "Clinic North", "")
    assert first.name == second.name == "Clinic North"
    assert books.channels.customer(one.id, "Clinic North") == first
    assert books.channels.customer(other.id, "Clinic North") == second
    assert books.customer("Clinic North").email == "direct@example.org"
    with pytest.raises(CustomerExists):
        books.channels.add_customer(one.id, "Clinic North", "")
    with pytest.raises(BadName):
        books.channels.add_customer(one.id, "Clinic\nNorth", "")


def test_a_name_that_several_partners_customers_bear_is_asked_for_by_id(books: SqlBooks) -> None:
    one, other = a_partner(books, "Reseller"), a_partner(books, "Rival")
    first = books.channels.add_customer(one.id, "Clinic North", "")
    assert books.customer("Clinic North") == first
    second = books.channels.add_customer(other.id, "Clinic North", "")
    with pytest.raises(UnknownCustomer, match="give the id") as refused:
        books.customer("Clinic North")
    assert first.id in str(refused.value) and second.id in str(refused.value)


def test_a_referral_code_attributes_a_sign_up_once_and_for_good(books: SqlBooks) -> None:
    partner = a_partner(books)
    books.channels.add_referral("spring-26", "newsletter")
    books.channels.add_referral("RESELL", "fairs", partner.id)
    came = books.add_customer("Clinic North", "", referral=" Spring-26 ")
    brought = books.add_customer("Clinic South", "", referral="resell")
    assert (came.channel, came.partner) == ("newsletter", None)
    assert (brought.channel, brought.partner) == ("fairs", partner.id)
    assert books.channels.customers(partner.id) == [brought]
    books.channels.withdraw_referral("spring-26")
    assert books.customer(came.id).channel == "newsletter"


def test_a_code_that_is_withdrawn_unknown_or_anothers_is_refused_and_nobody_is_added(books: SqlBooks) -> None:
    one, other = a_partner(books, "Reseller"), a_partner(books, "Rival")
    books.channels.add_referral("OLD", "fairs")
    books.channels.withdraw_referral("OLD")
    books.channels.add_referral("THEIRS", "fairs", other.id)
    before = books.customers()
    for code in ("OLD", "NEVER"):
        with pytest.raises(UnknownReferral):
            books.add_customer("Clinic North", "", referral=code)
    said = []
    for code in ("THEIRS", "NEVER"):
        with pytest.raises(UnknownReferral) as refused:
            books.channels.add_customer(one.id, "Clinic North", "", referral=code)
        said.append(str(refused.value).replace(code, "CODE"))
    assert said[0] == said[1]
    assert books.customers() == before
    for code, channel in (("X", "fairs"), ("GOOD", "Not A Channel"), ("zwölf", "fairs")):
        with pytest.raises(BadReferral):
            books.channels.add_referral(code, channel)
    with pytest.raises(ReferralExists):
        books.channels.add_referral("old", "fairs")


def test_a_commission_is_a_share_of_the_net_of_finalised_invoices(books: SqlBooks, clock: ManualClock) -> None:
    # Twelve calls at 0.02 USD are 0.24 USD; three calls are 0.06 USD. A fifth of it: 0.048 and 0.012 USD.
    partner = a_partner(books)
    north, south = an_end_customer(books, partner), an_end_customer(books, partner, "Clinic South")
    north.call(times=12)
    south.call(times=3)
    a_caller(books, name="Nobody's").call(times=50)
    numbers = bill(books, clock, north, south)
    (found,) = books.channels.statement(partner.id, NOVEMBER)
    assert [(line.customer, line.invoices, line.net, line.share) for line in found.lines] == [
        (north.customer.id, (numbers[0],), usd(24), usd(5)),
        (south.customer.id, (numbers[1],), usd(6), usd(1)),
    ]
    assert (found.net, found.share, found.owed, found.closed_at) == (usd(30), usd(6), usd(0), None)


def test_a_closed_statement_is_booked_once_and_stands(books: SqlBooks, clock: ManualClock) -> None:
    partner = a_partner(books)
    north = an_end_customer(books, partner)
    north.call(times=12)
    bill(books, clock, north)
    with pytest.raises(StatementNotOver, match=r"ends at 20[0-9-]*T00:00:00Z;"):
        books.channels.close_statement(partner.id, NOVEMBER)
    clock.at = NOVEMBER.end
    closed = books.channels.close_statement(partner.id, NOVEMBER)
    entries = books.ledger()
    clock.advance(timedelta(days=3))
    assert books.channels.close_statement(partner.id, NOVEMBER) == closed
    assert books.channels.statement(partner.id, NOVEMBER) == closed
    assert closed[0].closed_at == NOVEMBER.end
    assert books.ledger() == entries
    held = balances(entries)
    assert held[f"commission:{partner.id}", "USD"] == usd(5)
    assert held[f"payable:{partner.id}", "USD"] == usd(-5)
    assert books.journal.verify().findings == ()


def test_a_void_after_the_closing_is_counted_back_on_the_next_statement(books: SqlBooks, clock: ManualClock) -> None:
    partner = a_partner(books)
    north = an_end_customer(books, partner)
    north.call(times=12)
    (number,) = bill(books, clock, north)
    clock.at = NOVEMBER.end
    books.channels.close_statement(partner.id, NOVEMBER)
    books.bills.void(str(number))
    (december,) = books.channels.statement(partner.id, DECEMBER)
    assert (december.lines[0].invoices, december.net, december.share) == ((number,), usd(-24), usd(-5))
    clock.at = DECEMBER.end
    books.channels.close_statement(partner.id, DECEMBER)
    assert balances(books.ledger())[f"payable:{partner.id}", "USD"] == usd(0)


def test_what_was_booked_with_a_late_clock_comes_onto_the_next_statement(books: SqlBooks, clock: ManualClock) -> None:
    partner = a_partner(books)
    north, south = an_end_customer(books, partner), an_end_customer(books, partner, "Clinic South")
    north.call(times=12)
    south.call(times=3)
    bill(books, clock, north)
    clock.at = NOVEMBER.end
    closed = books.channels.close_statement(partner.id, NOVEMBER)
    clock.at = NOVEMBER.end - timedelta(milliseconds=5)  # another machine's
    bill(books, clock, south)
    assert books.channels.statement(partner.id, NOVEMBER) == closed
    (december,) = books.channels.statement(partner.id, DECEMBER)
    assert [line.customer for line in december.lines] == [south.customer.id]


def test_wholesale_moves_what_end_customers_owe_to_the_partner_less_its_margin(
    books: SqlBooks, clock: ManualClock
) -> None:
    partner = a_partner(books, terms="wholesale", rate="0.25")
    north = an_end_customer(books, partner)
    north.call(times=12)
    bill(books, clock, north)
    clock.at = NOVEMBER.end
    (closed,) = books.channels.close_statement(partner.id, NOVEMBER)
    assert (closed.net, closed.share, closed.owed) == (usd(24), usd(6), usd(18))
    held = balances(books.ledger())
    assert held[f"receivable:{north.customer.id}", "USD"] == usd(0)
    owed = held[f"receivable:{partner.customer}", "USD"] + held[f"payable:{partner.id}", "USD"]
    assert owed == closed.owed
    (invoice,) = books.invoices(north.customer.id)
    assert books.bills.status(invoice.id).status == "paid"
    assert books.journal.verify().findings == ()


def test_nothing_is_collected_from_whom_a_partner_bills(books: SqlBooks, clock: ManualClock) -> None:
    wholesale, commission = a_partner(books, "Reseller", terms="wholesale"), a_partner(books, "Agent")
    theirs, ours = an_end_customer(books, wholesale), an_end_customer(books, commission, "Clinic South")
    for caller in (theirs, ours):
        caller.call(times=100)
    bill(books, clock, theirs, ours)
    assert books.payments.collectable() == [books.invoices(ours.customer.id)[0].id]


def test_a_statement_covers_a_calendar_month_and_nothing_else(books: SqlBooks) -> None:
    partner = a_partner(books)
    with pytest.raises(BadPeriod):
        books.channels.statement(partner.id, Period(START, START + timedelta(days=1)))
    assert books.channels.statement(partner.id, NOVEMBER) == []


def test_the_channel_report_adds_up_to_the_ledger(books: SqlBooks, clock: ManualClock) -> None:
    partner = a_partner(books)
    books.channels.add_referral("NEWS", "newsletter")
    north = an_end_customer(books, partner)
    direct = a_caller(books, name="Clinic West")
    books.add_customer("Clinic East", "", referral="NEWS")
    north.call(times=12)
    direct.call(times=5)
    bill(books, clock, north, direct)
    rows = {row.channel: row for row in books.channels.report(NOVEMBER)}
    assert {name: (row.signups, row.customers, row.revenue) for name, row in rows.items()} == {
        "direct": (2, 1, usd(10)),
        "newsletter": (1, 0, usd(0)),
        "partner": (1, 1, usd(24)),
    }
    earned = sum(-entry.amount.minor for entry in books.ledger() if entry.account.startswith("revenue:"))
    assert sum(row.revenue.minor for row in rows.values()) == earned
    clock.at = NOVEMBER.end
    books.channels.close_statement(partner.id, NOVEMBER)
    (december,) = books.channels.report(DECEMBER)
    assert (december.channel, december.commission, december.margin) == ("partner", usd(5), usd(-5))
