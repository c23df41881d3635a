"""A shop that collects by Stripe, from the invoice to the ledger, against the double; SQLite."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.payments.errors import ProviderUnavailable
from modelmint.commerce.payments.stripe_adapter import StripeProvider
from modelmint.commerce.payments.types import ReturnUrls
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.operations.collect import checkout, collect, collect_due, receive
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller

from .stripe_double import KEY, Double

stripe = pytest.importorskip("stripe")
SECRET = "whsec_of_the_endpoint"
START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(tmp_path: Path, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(f"sqlite:///{tmp_path}/books.sqlite", clock)
    yield opened
    opened.close()


@pytest.fixture
def double() -> Iterator[Double]:
    with Double() as found:
        yield found


@pytest.fixture
def provider(double: Double) -> StripeProvider:
    return StripeProvider(KEY, SECRET, double.base)


def billed(books: SqlBooks, clock: ManualClock, name: str = "Clinic North") -> Invoice:
    caller = a_caller(books, name=name)
    caller.call(20)
    clock.advance(timedelta(seconds=1))
    (invoice,) = books.close_period(caller.customer.id, month_of(clock.at), "", until_now=True)
    return invoice


def tell(books: SqlBooks, provider: StripeProvider, number: int, kind: str, **found: Any) -> bool:
    """Their webhook, signed now."""
    now = int(books.now().timestamp())
    event = {"id": f"evt_{number}", "type": kind, "created": now, "data": {"object": {"currency": "usd", **found}}}
    body = json.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(body, SECRET, now)
    return receive(books, provider, {"stripe-signature": header}, body.encode())


def balances(books: SqlBooks) -> dict[str, int]:
    return {account: money.minor for (account, _), money in books.journal.balances().items()}


def test_collected_told_twice_and_refunded_comes_to_the_right_cent(
    books: SqlBooks, clock: ManualClock, double: Double, provider: StripeProvider
) -> None:
    invoice = billed(books, clock)
    (attempt,) = collect_due(books, provider)
    assert double.charged == [(invoice.id, 40, "usd")]
    paid: dict[str, Any] = {"id": "in_2", "amount_paid": 40, "metadata": {"attempt": attempt.id}}
    assert tell(books, provider, 1, "invoice.paid", **paid)
    assert not tell(books, provider, 1, "invoice.paid", **paid)
    refunded: dict[str, Any] = {"id": "ch_1", "payment_intent": attempt.reference, "metadata": {}}
    for number, total in ((3, 30), (2, 10)):  # the older one comes late
        assert tell(books, provider, number, "charge.refunded", amount_refunded=total, **refunded)
    assert balances(books)["cash:stripe"] == 10
    assert balances(books)[f"receivable:{invoice.customer}"] == 30
    assert books.bills.status(invoice.id).status == "paid"
    assert books.journal.verify().findings == ()


def test_the_refund_of_a_payment_that_was_only_told_of_is_found(
    books: SqlBooks, clock: ManualClock, double: Double, provider: StripeProvider
) -> None:
    invoice = billed(books, clock, "Clinic slow")
    attempt = collect(books, provider, invoice.id)
    assert attempt.state == "pending"
    (theirs,) = double.of("invoice")
    theirs["payments"] = {"data": [{"payment": {"payment_intent": "pi_late"}}]}  # the bank debit went through
    tell(books, provider, 1, "invoice.paid", id=theirs["id"], amount_paid=40, metadata={"attempt": attempt.id})
    tell(books, provider, 2, "charge.refunded", id="ch_1", payment_intent="pi_late", amount_refunded=40, metadata={})
    assert balances(books)["cash:stripe"] == 0


def test_a_refused_card_is_paid_by_the_next_attempt_and_a_late_failure_changes_nothing(
    books: SqlBooks, clock: ManualClock, double: Double, provider: StripeProvider
) -> None:
    invoice = billed(books, clock, "Clinic declines")
    first = collect(books, provider, invoice.id)
    assert (first.state, first.reason) == ("failed", "insufficient_funds")
    (theirs,) = double.of("customer")
    theirs["name"] = "Clinic North"
    clock.advance(timedelta(days=1))
    (second,) = collect_due(books, provider)
    assert (second.state, len(double.of("invoice"))) == ("succeeded", 1)
    tell(books, provider, 1, "invoice.payment_failed", id="in_2", amount_due=40, metadata={"attempt": second.id})
    assert books.bills.status(invoice.id).status == "paid"
    assert balances(books)["cash:stripe"] == 40


def test_an_outcome_that_nobody_noted_is_found_again_days_later_and_not_charged_twice(
    books: SqlBooks, clock: ManualClock, double: Double, provider: StripeProvider
) -> None:
    invoice = billed(books, clock)
    double.trouble = lambda when, _, path: when == "after" and path.endswith("/pay")
    with pytest.raises(ProviderUnavailable):
        collect(books, provider, invoice.id)
    double.trouble = lambda *_: False
    double.forget_keys()
    clock.advance(timedelta(days=3))
    (attempt,) = collect_due(books, provider)
    assert attempt.state == "succeeded"
    assert double.charged == [(invoice.id, 40, "usd")]
    assert balances(books)["cash:stripe"] == 40


def test_an_invoice_paid_on_stripes_page_is_paid_and_its_refund_is_found(
    books: SqlBooks, clock: ManualClock, double: Double, provider: StripeProvider
) -> None:
    invoice = billed(books, clock)
    checkout(books, provider, invoice.id, ReturnUrls("https://a.example/", "https://a.example/"))
    (session,) = double.of("checkout.session")
    done: dict[str, Any] = {"amount_total": 40, "payment_intent": "pi_9", "metadata": session["metadata"]}
    tell(books, provider, 1, "checkout.session.completed", id="cs_1", payment_status="paid", **done)
    assert books.bills.status(invoice.id).status == "paid"
    tell(books, provider, 2, "charge.refunded", id="ch_1", payment_intent="pi_9", amount_refunded=40, metadata={})
    assert balances(books)["cash:stripe"] == 0
