"""Closings, bills and credit, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection

from modelmint.commerce.billing.draft import build
from modelmint.commerce.billing.errors import (
    AnchorFixed,
    BadBillingDetails,
    BadCorrection,
    BadCredit,
    InvoiceNotOpen,
)
from modelmint.commerce.billing.inputs_json import from_json
from modelmint.commerce.billing.types import BillingDetails, Invoice
from modelmint.commerce.documents.invoice_json import canonical
from modelmint.commerce.errors import EarlierPeriodOpen, PaymentRequired, Unbalanced
from modelmint.commerce.ledger.postings import balances
from modelmint.commerce.metering.types import UsageEvent
from modelmint.commerce.payments.types import PaymentEvent
from modelmint.kit.clock import ManualClock
from modelmint.kit.errors import MissingExtra
from modelmint.kit.money import Money, parse_money, parse_price
from modelmint.kit.period import Period, billing_period, month_of
from modelmint.store import closing
from modelmint.store.books import SqlBooks
from modelmint.store.drafting import Terms
from modelmint.store.errors import BooksCorrupted, BooksUnavailable
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
NOVEMBER, DECEMBER = month_of(START), month_of(datetime(2026, 12, 1, tzinfo=UTC))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def on_plan(books: SqlBooks, name: str = "Clinic North", **table: Any) -> Caller:
    """A caller who holds a plan of these terms."""
    caller = a_caller(books, None, name)
    books.put_plans([*books.plans(), *some_plans({"own": table})])
    books.subscribe(caller.customer.id, "own")
    return caller


def balance(books: SqlBooks, account: str, currency: str = "USD") -> int:
    return balances(books.ledger()).get((account, currency), Money(0, currency)).minor


def closed(books: SqlBooks, clock: ManualClock, caller: Caller) -> Invoice:
    clock.at = NOVEMBER.end
    (invoice,) = books.close_period(caller.customer.id, NOVEMBER, "")
    return invoice


def stored_inputs(books: SqlBooks, invoice: Invoice) -> str:
    with books._database.read() as connection:  # what replay reads
        return connection.exec_driver_sql(f"SELECT inputs FROM invoices WHERE number = {invoice.number}").scalar_one()


# closing


def test_a_frozen_invoice_is_built_again_from_its_inputs_to_the_same_bytes(books: SqlBooks, clock: ManualClock) -> None:
    import json

    caller = on_plan(books, per_call="0.02 USD", minimum="5 USD", cap="7 USD")
    books.bills.set_details(caller.customer.id, BillingDetails(tax_rate=Decimal("0.19"), tax_name="MwSt"))
    books.credits.grant(caller.customer.id, parse_money("1 USD"))
    caller.call(400)
    invoice = closed(books, clock, caller)
    assert [line.kind for line in invoice.lines] == ["per_unit", "cap"]
    again = build(from_json(json.loads(stored_inputs(books, invoice))), books.plan("own", invoice.plan_version))
    assert again is not None
    assert canonical(again) == canonical(replace(invoice, customer_name="whoever"))


def test_closing_what_is_due_bills_every_customer_once(books: SqlBooks, clock: ManualClock) -> None:
    callers = [a_caller(books, plan, name=plan) for plan in ("payg", "clinic", "trial")]
    for caller in callers:
        caller.call(3)
    assert books.bills.close_due("").invoices == ()
    clock.at = DECEMBER.end + timedelta(days=1)
    found = books.bills.close_due("").invoices
    # payg: November; clinic: November and December; a trial is never billed
    assert [(one.number, one.plan, one.period.start.month) for one in found] == [
        (1, "payg", 11),
        (2, "clinic", 11),
        (3, "clinic", 12),
    ]
    assert books.bills.close_due("").invoices == ()
    clock.at = NOVEMBER.end  # the clock jumps back
    assert books.bills.close_due("").invoices == ()
    assert len(books.invoices()) == 3


def failing(monkeypatch: pytest.MonkeyPatch, customer: str, error: Exception) -> None:
    """Closing that customer's periods raises after something was written."""
    whole = closing.bill

    def bill(connection: Connection, terms: Terms, window: Period) -> list[Invoice]:
        made = whole(connection, terms, window)
        if terms.customer.id == customer:
            raise error
        return made

    monkeypatch.setattr(closing, "bill", bill)


@pytest.mark.parametrize(
    ("error", "code", "corrupted"),
    [
        (Unbalanced("the legs of Anna Smith's invoice"), "ledger_unbalanced", True),
        (EarlierPeriodOpen("x"), "earlier_period_open", False),
        (KeyError("Anna Smith"), "internal_error", False),
    ],
)
def test_one_customer_whose_closing_fails_holds_up_nobody_else(
    books: SqlBooks,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: str,
    corrupted: bool,
) -> None:
    first, bad, last = [a_caller(books, "payg", name=name) for name in ("First", "Anna Smith", "Last")]
    for caller in (first, bad, last):
        caller.call(3)
    clock.at = NOVEMBER.end
    failing(monkeypatch, bad.customer.id, error)
    for made in ([(1, first.customer.id), (2, last.customer.id)], []):
        found = books.bills.close_due("")
        assert [(one.number, one.customer) for one in found.invoices] == made
        assert [(one.customer, one.code, one.corrupted) for one in found.failed] == [(bad.customer.id, code, corrupted)]
    (noted,) = [entry for entry in books.people.audit() if entry.action == "closing.failed"]
    assert (noted.subject, noted.data) == (bad.customer.id, {"code": code})
    clock.advance(timedelta(days=1, seconds=1))
    books.bills.close_due("")
    assert len([entry for entry in books.people.audit() if entry.action == "closing.failed"]) == 2
    monkeypatch.undo()
    (mended,) = books.bills.close_due("").invoices
    assert (mended.number, mended.customer, books.bills.close_due("").failed) == (3, bad.customer.id, ())


@pytest.mark.parametrize("error", [BooksUnavailable("disk full"), BooksCorrupted("malformed"), MissingExtra("x", "y")])
def test_what_concerns_everybody_stops_the_closing(
    books: SqlBooks, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    first, second = [a_caller(books, "payg", name=name) for name in ("First", "Second")]
    for caller in (first, second):
        caller.call(3)
    clock.at = NOVEMBER.end
    failing(monkeypatch, first.customer.id, error)
    with pytest.raises(type(error)):
        books.bills.close_due("")
    assert books.invoices() == []


def test_billing_periods_begin_on_the_customers_own_day(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "clinic")
    books.bills.set_details(caller.customer.id, BillingDetails(anchor=15))
    caller.call(4)
    clock.at = datetime(2026, 12, 15, tzinfo=UTC)
    first, second = books.bills.close_due("").invoices
    # 4.5 of 31 days (15 October to 15 November): 49.00 x 4.5 / 31 = 7.1129; 10 x 4.5 / 31 = 1.45 -> 2 of the 4 calls
    # are included, 2 x 0.015 = 0.03
    assert (first.period, first.total.minor) == (billing_period(START, 15), 711 + 3)
    assert (second.period.start.day, second.total.minor) == (15, 4900)
    with pytest.raises(AnchorFixed, match="day 15 for good"):
        books.bills.set_details(caller.customer.id, BillingDetails(anchor=1))


def test_a_plan_left_and_taken_again_in_a_period_goes_on_in_its_tiers(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "clinic")
    caller.call(8)
    clock.advance(timedelta(days=5))
    books.subscribe(caller.customer.id, "payg")
    clock.advance(timedelta(days=5))
    books.subscribe(caller.customer.id, "clinic")
    caller.call(8)
    clock.at = NOVEMBER.end
    found = books.close_period(caller.customer.id, NOVEMBER, "")
    # held 5 + 10.5 of 30 days: 49.00 x 15.5 / 30 = 25.3167; 16 calls: 10 x 15.5 / 30 = 5.17 -> 6
    # included, 10 x 0.015 = 0.15
    assert [[line.amount.minor for line in one.lines] for one in found] == [[2532, 0, 15]]


def test_what_usage_cost_is_booked_by_release(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    for release, calls in (("rel_a", 3), ("rel_b", 5), (None, 1)):
        caller.settle(caller.reserve(calls), release=release)
    clock.at = NOVEMBER.end
    costs = {"rel_a": parse_price("0.01 USD"), "rel_b": parse_price("0.004 USD")}
    (invoice,) = books.close_period(caller.customer.id, NOVEMBER, "", unit_costs=costs)
    assert invoice.releases == ("rel_a", "rel_b")
    # 3 x 0.01 + 5 x 0.004 = 0.03 + 0.02
    assert (balance(books, "cost:machine"), balance(books, "accrued:machine")) == (5, -5)


def test_a_promise_is_held_against_the_recorded_outcomes(books: SqlBooks, clock: ManualClock) -> None:
    promise = {"p99_ms": 50, "availability": "90 %", "credit": "50 %"}
    caller = on_plan(books, per_call="0.10 USD", promise=promise)
    for wall in (10, 20, 49, 60):  # nearest rank: the 99th percentile of four is the fourth
        caller.settle(caller.reserve(), wall_ms=Decimal(wall))
    invoice = closed(books, clock, caller)
    assert [line.amount.minor for line in invoice.lines] == [40, -20]
    assert invoice.lines[-1].data["p99_ms"] == "60"


def test_calls_that_failed_on_our_side_break_a_promised_availability(books: SqlBooks, clock: ManualClock) -> None:
    caller = on_plan(books, per_call="0.10 USD", promise={"availability": "75 %", "credit": "10 %"})
    caller.call(times=3)
    caller.settle(caller.reserve(), 422, "not_an_image")  # the caller's own fault does not count
    caller.settle(caller.reserve(), 503, "overloaded")
    assert len(books.draft_period(caller.customer.id, NOVEMBER, "")[0].lines) == 1  # the period is not over
    caller.settle(caller.reserve(), 500, "engine_failed")
    invoice = closed(books, clock, caller)
    assert [line.amount.minor for line in invoice.lines] == [30, -3]
    assert (invoice.lines[-1].data["calls"], invoice.lines[-1].data["failed"]) == (5, 2)


# bills


def test_an_invoice_is_finalised_then_paid_by_hand_once(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call(50)
    invoice = closed(books, clock, caller)
    assert books.bills.status(invoice.id).status == "finalised"
    assert books.bills.owed("1") == Money(100, "USD")
    paid = books.bills.pay("1", "transfer 77")
    assert (paid.status, [entry[0] for entry in paid.history]) == ("paid", ["finalised", "paid"])
    assert books.bills.pay("1", "transfer 77") == paid
    with pytest.raises(InvoiceNotOpen, match="is paid"):
        books.bills.pay("1", "transfer 78")
    assert balance(books, f"receivable:{caller.customer.id}") == 0
    assert balance(books, "cash:manual") == 100
    assert books.bills.owed("1").minor == 0
    assert books.bills.statuses() == {invoice.id: "paid"}


def test_an_invoice_over_nothing_is_paid_at_once(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    books.credits.grant(caller.customer.id, parse_money("5 USD"))
    caller.call(50)
    invoice = closed(books, clock, caller)
    assert (invoice.credit.minor, invoice.due.minor) == (100, 0)
    assert books.bills.status(invoice.id).status == "paid"
    assert books.credits.balance(caller.customer.id) == [Money(400, "USD")]


def test_a_void_invoice_gives_back_its_credit_and_books_to_nothing(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    books.credits.grant(caller.customer.id, parse_money("0.40 USD"), source="promotion")
    books.bills.set_details(caller.customer.id, BillingDetails(tax_rate=Decimal("0.1"), tax_name="GST"))
    caller.call(50)
    invoice = closed(books, clock, caller)
    assert (invoice.total.minor, invoice.due.minor) == (110, 70)
    assert (balance(books, "tax:GST"), balance(books, "revenue:payg:per_unit")) == (-10, -100)
    assert books.bills.void(invoice.id, "wrong customer").status == "void"
    for account in (f"receivable:{caller.customer.id}", "tax:GST", "revenue:payg:per_unit"):
        assert balance(books, account) == 0
    assert (balance(books, f"credit:{caller.customer.id}"), balance(books, "expense:promotion")) == (-40, 40)
    assert books.credits.balance(caller.customer.id) == [Money(40, "USD")]
    with pytest.raises(InvoiceNotOpen, match="is void"):
        books.bills.pay(invoice.id)
    assert [one.number for one in books.invoices()] == [1]  # the number stays


def test_a_paid_invoice_cannot_be_void_and_the_ledger_keeps_still(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    caller.call(50)
    invoice = closed(books, clock, caller)
    books.bills.pay(invoice.id)
    before = books.ledger()
    with pytest.raises(InvoiceNotOpen, match="make a credit note instead"):
        books.bills.void(invoice.id)
    assert books.ledger() == before


def test_an_invoice_of_which_some_was_paid_cannot_be_void_until_it_went_back(
    books: SqlBooks, clock: ManualClock
) -> None:
    caller = on_plan(books, monthly="49 USD")
    invoice = closed(books, clock, caller)
    attempt = books.payments.begin(invoice.id, "fake")
    told = PaymentEvent("fake", "e1", "payment.succeeded", attempt.id, clock.now(), Money(2000, "USD"), "")
    books.payments.apply(told)
    before = books.ledger()
    with pytest.raises(InvoiceNotOpen, match=r"20\.00 USD of invoice 1 was paid; make a credit note instead"):
        books.bills.void(invoice.id)
    assert (books.ledger(), books.bills.owed(invoice.id)) == (before, invoice.due - Money(2000, "USD"))
    books.payments.apply(replace(told, id="e2", kind="payment.refunded"))
    assert books.bills.void(invoice.id).status == "void"
    assert balance(books, f"receivable:{caller.customer.id}") == 0


@pytest.mark.parametrize(("void", "late"), [(False, [500, -500]), (True, [500])])
def test_usage_that_comes_late_is_taken_off_a_minimum_that_is_owed_and_not_off_one_that_was_forgiven(
    books: SqlBooks, clock: ManualClock, void: bool, late: list[int]
) -> None:
    charges = [{"meter": "scans", "tiers": [{"up_to": 3, "price": "2 USD"}, {"price": "1 USD"}]}]
    caller = on_plan(books, charges=charges, minimum="20 USD")
    record_scans(caller, START, 4)
    invoice = closed(books, clock, caller)
    if void:
        books.bills.void(invoice.id)
    record_scans(caller, START, 5)  # all in the second tier: what a void invoice billed was used all the same
    clock.at = NOVEMBER.end + timedelta(days=1)
    (december,) = books.close_period(caller.customer.id, DECEMBER, "", until_now=True)
    assert [line.amount.minor for line in december.lines] == late
    assert books.journal.verify(raw=True).findings == ()


def record_scans(caller: Caller, time: datetime, quantity: int) -> None:
    event = UsageEvent("/jobs", str(quantity), "t", time, "scans", Decimal(quantity))
    caller.books.meters.record(caller.customer.id, caller.key.id, [event])


def test_a_credit_note_of_an_unpaid_invoice_lowers_what_is_owed(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    books.bills.set_details(caller.customer.id, BillingDetails(tax_rate=Decimal("0.19"), tax_name="VAT"))
    caller.call(50)
    invoice = closed(books, clock, caller)  # 1.00 + 0.19
    note = books.bills.credit_note(invoice.id, "half of it failed", amount=parse_money("0.50 USD"))
    # 0.50 x 0.19 = 0.095 -> 0.10
    assert (note.number, note.kind, note.corrects, note.total.minor) == (2, "credit_note", 1, -60)
    assert (note.due.minor, note.credit.minor) == (-60, 0)
    assert (books.bills.owed("1").minor, balance(books, f"receivable:{caller.customer.id}")) == (59, 59)
    rest = books.bills.credit_note(invoice.id, "and the rest")
    assert (rest.total.minor, rest.tax.minor) == (-59, -9)
    assert balance(books, "tax:VAT") == 0
    assert books.bills.status("1").status == "paid"
    assert [one.number for one in books.bills.credit_notes("1")] == [2, 3]


def test_a_credit_note_of_a_paid_invoice_becomes_credit(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "clinic")
    caller.call(20)
    invoice = closed(books, clock, caller)  # 33.48, 0.00, 0.15
    books.bills.pay(invoice.id)
    note = books.bills.credit_note(invoice.id, "no service", lines=[1])
    assert (note.total.minor, note.due.minor, note.credit.minor) == (-3348, 0, -3348)
    (grant,) = books.credits.grants(caller.customer.id)
    assert (grant.left, grant.grant.source, grant.grant.priority) == (Money(3348, "USD"), "credit_note", 0)
    assert balance(books, f"credit:{caller.customer.id}") == -3348
    clock.at = DECEMBER.end
    (december,) = books.close_period(caller.customer.id, DECEMBER, "")
    assert (december.total.minor, december.due.minor) == (4900, 4900 - 3348)


def test_credit_notes_never_come_to_more_than_their_invoice(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books, "clinic")
    caller.call(20)
    invoice = closed(books, clock, caller)
    books.bills.credit_note(invoice.id, "a", lines=[3])
    before = (books.ledger(), books.invoices(), books.credits.grants(caller.customer.id))
    for wrong in (
        {"lines": [3]},
        {"lines": [4]},
        {"lines": [1, 1]},
        {"amount": parse_money("33.49 USD")},
        {"amount": parse_money("1 EUR")},
        {"amount": Money(0, "USD")},
        {"amount": Money(-5, "USD")},
        {"lines": [1], "amount": Money(1, "USD")},
    ):
        with pytest.raises(BadCorrection) as refusal:
            books.bills.credit_note(invoice.id, "b", **wrong)  # type: ignore[arg-type]  # both kinds of arguments
        assert refusal.value.problems
    with pytest.raises(BadCorrection, match="expected a reason"):
        books.bills.credit_note(invoice.id, "  ")
    with pytest.raises(InvoiceNotOpen, match="is a credit note"):
        books.bills.credit_note("2", "c")
    assert (books.ledger(), books.invoices(), books.credits.grants(caller.customer.id)) == before
    assert books.bills.credit_note(invoice.id, "rest").total.minor == -3348


def test_what_is_given_up_stays_owed_and_may_be_paid_or_corrected(books: SqlBooks, clock: ManualClock) -> None:
    callers = [a_caller(books, name=name) for name in ("One", "Other")]
    for caller in callers:
        caller.call(50)
    clock.at = NOVEMBER.end
    for invoice in books.bills.close_due("").invoices:
        assert books.bills.uncollectible(invoice.id, "gone").status == "uncollectible"
        assert balance(books, f"receivable:{invoice.customer}") == 100
        with pytest.raises(InvoiceNotOpen, match="is uncollectible"):
            books.bills.uncollectible(invoice.id)
    assert books.bills.pay("1", "late").status == "paid"
    books.bills.credit_note("2", "never paid")
    assert books.bills.status("2").status == "paid"
    assert [balance(books, f"receivable:{caller.customer.id}") for caller in callers] == [0, 0]
    assert (balance(books, "cash:manual"), balance(books, "revenue:payg:correction")) == (100, 100)


def test_a_yearly_fee_given_back_becomes_credit(books: SqlBooks, clock: ManualClock) -> None:
    clock.at = NOVEMBER.start
    caller = on_plan(books, yearly="365 USD")
    first = closed(books, clock, caller)
    assert first.total.minor == 36_500
    clock.at = DECEMBER.start + timedelta(days=10)
    books.contracts.cancel(caller.customer.id)
    clock.at = DECEMBER.end
    (left,) = books.close_period(caller.customer.id, DECEMBER, "")
    # held 40 of 365 days
    assert (left.total.minor, left.due.minor, left.credit.minor) == (-32_500, 0, -32_500)
    assert books.credits.balance(caller.customer.id) == [Money(32_500, "USD")]
    assert balance(books, "revenue:own:flat_yearly") == -4000
    assert books.bills.status(left.id).status == "paid"


# credit


def test_credit_is_booked_when_it_is_granted_and_when_it_runs_out(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    ends = datetime(2026, 12, 1, tzinfo=UTC)
    books.credits.grant(caller.customer.id, parse_money("3 USD"), expires_at=ends)
    assert (balance(books, "cash:credits"), balance(books, f"credit:{caller.customer.id}")) == (300, -300)
    caller.call(50)
    clock.at = ends + timedelta(hours=1)
    assert books.credits.expire() == 0  # November is not billed yet: it may burn this credit
    assert books.credits.balance(caller.customer.id) == []
    (invoice,) = books.bills.close_due("").invoices
    assert invoice.credit.minor == 100
    assert books.credits.expire() == 1
    assert books.credits.expire() == 0
    assert balance(books, f"credit:{caller.customer.id}") == 0
    assert balance(books, "revenue:credits:breakage") == -200


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": Money(0, "USD")}, "above zero"),
        ({"priority": -1}, "priority"),
        ({"source": "gift"}, "source"),
        ({"expires_at": START + timedelta(days=1)}, "beginning of a day"),
        ({"expires_at": datetime(2026, 11, 10, tzinfo=UTC)}, "an end to come"),
        ({"note": "two\nlines"}, "one line"),
    ],
)
def test_credit_that_cannot_be_is_refused_and_nothing_is_stored(
    books: SqlBooks, wrong: dict[str, Any], said: str
) -> None:
    caller = a_caller(books)
    given = {"amount": parse_money("1 USD"), **wrong}
    with pytest.raises(BadCredit, match="cannot be given") as refusal:
        books.credits.grant(caller.customer.id, given.pop("amount"), **given)
    assert said in str(refusal.value)
    assert books.credits.grants(caller.customer.id) == []
    assert books.ledger() == []


def test_prepaid_credit_admits_as_many_calls_as_it_pays(books: SqlBooks, clock: ManualClock) -> None:
    caller = on_plan(books, per_call="0.03 USD", prepaid=True)
    with pytest.raises(PaymentRequired):
        caller.reserve()
    books.credits.grant(caller.customer.id, parse_money("0.20 USD"))
    caller.call(times=6)  # 0.18; a seventh would come to 0.21
    with pytest.raises(PaymentRequired):
        caller.reserve()
    invoice = closed(books, clock, caller)
    assert (invoice.total.minor, invoice.due.minor) == (18, 0)
    with pytest.raises(PaymentRequired):
        caller.reserve()
    books.credits.grant(caller.customer.id, parse_money("0.01 USD"))
    caller.call()


def test_a_call_that_fails_gives_its_credit_back(books: SqlBooks) -> None:
    caller = on_plan(books, per_call="0.10 USD", prepaid=True)
    books.credits.grant(caller.customer.id, parse_money("0.10 USD"))
    caller.settle(caller.reserve(), 500, "engine_failed")
    caller.call()
    with pytest.raises(PaymentRequired):
        caller.reserve()


def test_tax_and_rounding_are_paid_from_prepaid_credit_too(books: SqlBooks, clock: ManualClock) -> None:
    caller = on_plan(books, per_call="0.004 USD", prepaid=True)
    books.bills.set_details(caller.customer.id, BillingDetails(tax_rate=Decimal("0.19"), tax_name="VAT"))
    books.credits.grant(caller.customer.id, parse_money("1 USD"))
    admitted = 0
    while True:
        try:
            caller.call(10)
        except PaymentRequired:
            break
        admitted += 10
    # 210 x 0.004 = 0.84, tax 0.16: all of it; 211 would be rounded to the same
    assert admitted == 210
    invoice = closed(books, clock, caller)
    assert (invoice.total.minor, invoice.due.minor) == (100, 0)


def test_calls_before_prepaid_credit_ran_out_are_paid_by_it_and_none_after(books: SqlBooks, clock: ManualClock) -> None:
    caller = on_plan(books, per_call="0.10 USD", prepaid=True)
    ends = datetime(2026, 11, 15, tzinfo=UTC)
    books.credits.grant(caller.customer.id, parse_money("1 USD"), expires_at=ends)
    caller.call(4)
    clock.at = ends
    with pytest.raises(PaymentRequired):
        caller.reserve()
    books.credits.grant(caller.customer.id, parse_money("0.20 USD"))
    caller.call(2)
    with pytest.raises(PaymentRequired):
        caller.reserve()
    clock.at = NOVEMBER.end
    found = books.bills.close_due("").invoices
    assert [(one.total.minor, one.due.minor) for one in found] == [(40, 0), (20, 0)]
    assert books.credits.expire() == 1


def test_whole_coins_are_covered_on_into_the_next_period(books: SqlBooks, clock: ManualClock) -> None:
    caller = on_plan(books, per_call="0.10 USD", prepaid=True)
    books.credits.grant(caller.customer.id, parse_money("0.30 USD"))
    caller.call()
    clock.at = NOVEMBER.end
    caller.call(2)
    with pytest.raises(PaymentRequired):
        caller.reserve()
    clock.at = DECEMBER.end
    assert [(one.total.minor, one.due.minor) for one in books.bills.close_due("").invoices] == [(10, 0), (20, 0)]


def test_fractions_of_a_coin_are_counted_again_when_a_period_ends(books: SqlBooks, clock: ManualClock) -> None:
    caller = on_plan(books, per_call="0.004 USD", prepaid=True)
    books.credits.grant(caller.customer.id, parse_money("0.02 USD"))
    caller.call(2)  # 0.008, as November alone 0.01
    clock.at = NOVEMBER.end
    assert (books.credits.renew(), books.credits.renew()) == (1, 0)
    caller.call(3)  # 0.012, as December alone 0.01; together they would have been five of 0.02
    with pytest.raises(PaymentRequired):
        caller.reserve()
    clock.at = DECEMBER.end
    assert [(one.total.minor, one.due.minor) for one in books.bills.close_due("").invoices] == [(1, 0), (1, 0)]


def test_credit_that_runs_low_is_told_once(books: SqlBooks, clock: ManualClock) -> None:
    caller = on_plan(books, per_call="0.10 USD", prepaid=True)
    books.credits.grant(caller.customer.id, parse_money("2 USD"))
    caller.call(18)
    assert books.credits.watch() == 0  # 0.20 of 2.00 is a tenth
    caller.call()
    assert (books.credits.watch(), books.credits.watch()) == (1, 0)
    books.credits.grant(caller.customer.id, parse_money("1 USD"))
    assert books.credits.watch() == 0


# billing details


def test_billing_details_that_cannot_be_are_all_named_and_none_is_stored(books: SqlBooks) -> None:
    caller = a_caller(books)
    wrong = BillingDetails(tax_rate=Decimal("1.5"), anchor=32, language="xx", tax_name="a\nb", address="x" * 501)
    with pytest.raises(BadBillingDetails) as refusal:
        books.bills.set_details(caller.customer.id, wrong)
    assert len(refusal.value.problems) == 5
    assert books.customer(caller.customer.id) == caller.customer


def test_billing_details_are_stored_and_stand_on_later_invoices(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    given = BillingDetails(Decimal("0.2"), "VAT", "DE123", "Hauptstr. 1\n10115 Berlin", "zh")
    found = books.bills.set_details(caller.customer.id, given)
    assert (found.tax_rate, found.tax_id, found.language) == (Decimal("0.2"), "DE123", "zh")
    assert books.bills.set_details(caller.customer.id, given) == found
    caller.call(10)
    invoice = closed(books, clock, caller)
    assert (invoice.tax_name, invoice.tax.minor, invoice.total.minor) == ("VAT", 4, 24)


def test_credit_granted_before_a_prepaid_plan_was_taken_counts(books: SqlBooks) -> None:
    caller = a_caller(books, None)
    books.put_plans([*books.plans(), *some_plans({"own": {"per_call": "0.10 USD", "prepaid": True}})])
    books.credits.grant(caller.customer.id, parse_money("0.10 USD"))
    books.subscribe(caller.customer.id, "own")
    caller.call()
    with pytest.raises(PaymentRequired):
        caller.reserve()


def test_closing_from_many_threads_at_once_bills_everybody_once(books: SqlBooks, clock: ManualClock) -> None:
    callers = [a_caller(books, name=f"Clinic {n}") for n in range(6)]
    for caller in callers:
        caller.call(5)
    clock.at = NOVEMBER.end
    closers = [threading.Thread(target=books.bills.close_due, args=("",)) for _ in range(4)]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join()
    assert [(one.number, one.total.minor) for one in books.invoices()] == [(n, 10) for n in range(1, 7)]
    assert len({one.customer for one in books.invoices()}) == 6
