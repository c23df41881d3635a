"""The Stripe adapter against a double of the documented API. The real one was never asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.payments.errors import (
    AmountNotChargeable,
    BadPaymentEvent,
    MissingSecret,
    ProviderRefused,
    ProviderUnavailable,
)
from modelmint.commerce.payments.provider import Settings
from modelmint.commerce.payments.registry import PROVIDERS
from modelmint.commerce.payments.stripe_adapter import StripeProvider
from modelmint.commerce.payments.types import Attempt, ReturnUrls
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Customer
from modelmint.commerce.webhooks.errors import ForgedWebhook
from modelmint.kit.money import Money
from modelmint.kit.period import month_of

from .stripe_double import KEY, Double

stripe = pytest.importorskip("stripe")
NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SECRET = "whsec_of_the_endpoint"


@pytest.fixture
def double() -> Iterator[Double]:
    with Double() as found:
        yield found


@pytest.fixture
def provider(double: Double) -> StripeProvider:
    return StripeProvider(KEY, SECRET, double.base)


def customer(name: str = "Clinic North") -> Customer:
    return Customer("cus_1", name, "desk@clinic.example", NOW)


def invoice(*minors: int, currency: str = "USD", tax: int = 0, credit: int = 0) -> Invoice:
    lines = tuple(
        InvoiceLine(
            **{
                **dict.fromkeys(InvoiceLine.__dataclass_fields__),
                "amount": Money(minor, currency),
                "explanation": f"calls of part {number}",
            }
        )
        for number, minor in enumerate(minors)
    )
    total = sum(minors)
    return Invoice(
        id="inv_1", number=7, customer="cus_1", customer_name="Clinic North", period=month_of(NOW), currency=currency,
        lines=lines, subtotal=Money(total, currency), tax=Money(tax, currency), total=Money(total + tax, currency),
        burns=(), credit=Money(credit, currency), due=Money(total + tax - credit, currency), tax_rate=Decimal(0),
        subscription="sub_1", plan="payg", plan_version="v", notice="", finalised_at=NOW, tax_name="VAT",
    )  # fmt: skip


def attempt(of: Invoice, name: str = "att_1", due: Money | None = None) -> Attempt:
    return Attempt(name, of.id, "stripe", "", due or of.due, "pending", "", NOW)


def collected(double: Double, provider: StripeProvider, of: Invoice, who: str = "Clinic North") -> Any:
    return provider.collect(of, provider.enrol(customer(who)), attempt(of))


def test_an_invoice_becomes_their_invoice_line_by_line_and_is_paid(double: Double, provider: StripeProvider) -> None:
    answer = collected(double, provider, invoice(1000, 250, tax=125, credit=75))
    (theirs,) = double.of("invoice")
    assert (answer.state, answer.reference) == ("succeeded", f"pi_of_{theirs['id']}")
    items = [(one["description"], int(one["amount"])) for one in double.of("invoiceitem")]
    assert items == [
        ("calls of part 0", 1000), ("calls of part 1", 250), ("Tax (VAT)", 125), ("Prepaid credit", -75),
    ]  # fmt: skip
    assert double.charged == [("inv_1", 1300, "usd")]
    assert (theirs["auto_advance"], theirs["pending_invoice_items_behavior"]) == ("False".lower(), "exclude")
    assert theirs["metadata"] == {"invoice": "inv_1", "attempt": "att_1"}


def test_what_is_owed_after_a_part_was_paid_is_one_item(double: Double, provider: StripeProvider) -> None:
    found = invoice(1000, 250)
    provider.collect(found, provider.enrol(customer()), attempt(found, due=Money(400, "USD")))
    assert [int(one["amount"]) for one in double.of("invoiceitem")] == [400]
    assert double.charged == [("inv_1", 400, "usd")]


@pytest.mark.parametrize(
    ("currency", "minor", "charged"), [("USD", 1000, 1000), ("JPY", 500, 500), ("KWD", 1230, 1230), ("CNY", 990, 990)]
)
def test_amounts_are_whole_smallest_coins(
    double: Double, provider: StripeProvider, currency: str, minor: int, charged: int
) -> None:
    collected(double, provider, invoice(minor, currency=currency))
    assert double.charged == [("inv_1", charged, currency.lower())]


def test_three_decimals_that_cards_cannot_move_are_refused_before_anything_is_made(
    double: Double, provider: StripeProvider
) -> None:
    found = invoice(1234, currency="KWD")
    with pytest.raises(AmountNotChargeable, match=r"1\.234 KWD"):
        provider.collect(found, "cus_x", attempt(found))
    assert double.requests == []


def test_lines_that_cards_cannot_move_are_one_item_where_their_sum_can(
    double: Double, provider: StripeProvider
) -> None:
    assert collected(double, provider, invoice(1234, 1236, currency="KWD")).state == "succeeded"
    assert [int(one["amount"]) for one in double.of("invoiceitem")] == [2470]


def test_a_refused_card_is_told_with_the_banks_reason(double: Double, provider: StripeProvider) -> None:
    answer = collected(double, provider, invoice(1000), "Clinic declines")
    assert (answer.state, answer.reason) == ("failed", "insufficient_funds")
    assert double.charged == []


def test_a_bank_debit_that_takes_days_is_pending(double: Double, provider: StripeProvider) -> None:
    assert collected(double, provider, invoice(1000), "Clinic slow").state == "pending"


def test_the_next_attempt_pays_the_same_invoice_of_theirs(double: Double, provider: StripeProvider) -> None:
    found = invoice(1000)
    theirs = provider.enrol(customer("Clinic declines"))
    provider.collect(found, theirs, attempt(found))
    double.objects[theirs]["name"] = "Clinic North"
    assert provider.collect(found, theirs, attempt(found, "att_2")).state == "succeeded"
    (one,) = double.of("invoice")
    assert one["metadata"]["attempt"] == "att_2"
    assert double.charged == [("inv_1", 1000, "usd")]


@pytest.mark.parametrize("lost", ["/v1/invoices", "/v1/invoiceitems", "/finalize", "/pay"])
@pytest.mark.parametrize("after_a_day", [False, True])
def test_an_answer_lost_anywhere_and_asked_for_again_charges_once(
    double: Double, provider: StripeProvider, lost: str, after_a_day: bool
) -> None:
    found = invoice(1000, 250)
    theirs = provider.enrol(customer())
    double.trouble = lambda when, method, path: when == "after" and method == "POST" and path.endswith(lost)
    provider._api._requestor._options.max_network_retries = 0
    with pytest.raises(ProviderUnavailable):
        provider.collect(found, theirs, attempt(found))
    double.trouble = lambda *_: False
    if after_a_day:
        double.forget_keys()
    assert provider.collect(found, theirs, attempt(found)).state == "succeeded"
    assert double.charged == [("inv_1", 1250, "usd")]
    assert len(double.of("invoice")) == 1


def test_a_server_error_is_tried_again_under_the_same_key(double: Double, provider: StripeProvider) -> None:
    failures = iter([True])
    double.trouble = lambda when, method, path: when == "before" and path.endswith("/pay") and next(failures, False)
    assert collected(double, provider, invoice(1000)).state == "succeeded"
    keys = [headers["idempotency-key"] for _, path, _, headers in double.requests if path.endswith("/pay")]
    assert len(keys) == 2 and len(set(keys)) == 1


def test_another_amount_than_ours_is_never_taken(double: Double, provider: StripeProvider) -> None:
    found = invoice(1000)
    theirs = provider.enrol(customer())
    double.objects[theirs]["balance"] = -300  # somebody gave credit on Stripe's own page
    with pytest.raises(ProviderRefused, match="700 instead of 1000"):
        provider.collect(found, theirs, attempt(found))
    assert double.charged == []
    assert [one["status"] for one in double.of("invoice")] == ["void"]


def test_a_wrong_key_is_refused_and_no_secret_is_repeated(double: Double) -> None:
    with pytest.raises(ProviderRefused, match="401") as refusal:
        StripeProvider("sk_live_mine", SECRET, double.base).enrol(customer())
    assert "sk_live" not in str(refusal.value)


def test_a_stripe_that_cannot_be_reached_is_unavailable() -> None:
    provider = StripeProvider(KEY, SECRET, "http://127.0.0.1:9")
    provider._api._requestor._options.max_network_retries = 0
    with pytest.raises(ProviderUnavailable):
        provider.enrol(customer())


def test_a_customer_enrolled_twice_stays_one(double: Double, provider: StripeProvider) -> None:
    assert provider.enrol(customer()) == provider.enrol(customer())
    assert len(double.of("customer")) == 1


def test_a_page_to_pay_on_names_the_attempt_and_stays_one_page(double: Double, provider: StripeProvider) -> None:
    found, urls = invoice(1250), ReturnUrls("https://a.example/", "https://b.example/")
    theirs = provider.enrol(customer())
    page = provider.checkout(found, theirs, attempt(found), urls)
    assert provider.checkout(found, theirs, attempt(found), urls) == page
    (session,) = double.of("checkout.session")
    assert session["metadata"] == session["payment_intent_data"]["metadata"] == {"attempt": "att_1", "invoice": "inv_1"}
    assert session["line_items"]["0"]["price_data"]["unit_amount"] == "1250"
    with pytest.raises(ProviderRefused, match="other contents"):
        provider.checkout(found, theirs, attempt(found), ReturnUrls("https://c.example/", "https://b.example/"))


def test_usage_is_reported_with_an_identifier_that_counts_once(double: Double, provider: StripeProvider) -> None:
    provider.report_usage("cus_x", "calls", 12, "evt_1", NOW)
    ((_, path, params, _),) = double.requests
    assert path == "/v1/billing/meter_events"
    assert params["payload"] == {"stripe_customer_id": "cus_x", "value": "12"}
    assert (params["identifier"], params["event_name"], params["timestamp"]) == ("evt_1", "calls", "1796126400")


def test_a_meter_event_that_they_know_already_was_counted(double: Double, provider: StripeProvider) -> None:
    double.now = lambda: NOW
    for _ in range(2):
        provider.report_usage("cus_x", "calls", 12, "evt_1", NOW)
    assert len(double.metered) == 1
    assert len(double.requests) == 2
    double.meters = set()
    with pytest.raises(ProviderRefused, match="no_meter"):
        provider.report_usage("cus_x", "calls", 12, "evt_2", NOW)


def told(kind: str, **found: Any) -> bytes:
    return json.dumps({"id": "evt_1", "type": kind, "created": 1796126000, "data": {"object": found}}).encode()


def signed(body: bytes, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at.timestamp()))
    return {"stripe-signature": header}


PAID = told(
    "invoice.paid", id="in_1", amount_paid=1250, currency="usd", metadata={"attempt": "att_1"}, customer_email="a@b.c",
    payments={"data": [{"payment": {"payment_intent": "pi_1"}}]},
)  # fmt: skip


def test_their_webhooks_are_understood(provider: StripeProvider) -> None:
    named = {"attempt": "att_1"}
    cases = {
        "payment.succeeded": (PAID, 1250),
        "payment.failed": (told("invoice.payment_failed", id="in_1", amount_due=9, currency="usd", metadata=named), 9),
        "payment.refunded": (
            told("charge.refunded", id="ch_1", amount_refunded=40, currency="usd", payment_intent="pi_1", metadata={}),
            40,
        ),
        "checkout.completed": (
            told(
                "checkout.session.completed", id="cs_1", amount_total=5, currency="usd", payment_status="unpaid",
                client_reference_id="att_1",
            ),
            5,
        ),
    }  # fmt: skip
    for kind, (body, minor) in cases.items():
        event = provider.read_webhook(signed(body), body, NOW)
        assert (event.kind, event.amount) == (kind, Money(minor, "USD"))
        assert event.reference == ("pi_1" if kind == "payment.refunded" else "att_1")
    session = told(
        "checkout.session.completed", id="cs_1", amount_total=5, currency="jpy", payment_status="paid",
        payment_intent="pi_2", metadata=named,
    )  # fmt: skip
    event = provider.read_webhook(signed(session), session, NOW)
    assert (event.kind, event.payment, event.amount) == ("payment.succeeded", "pi_2", Money(5, "JPY"))


def test_nothing_personal_of_an_event_is_kept(provider: StripeProvider) -> None:
    event = provider.read_webhook(signed(PAID), PAID, NOW)
    assert "a@b.c" not in json.dumps(dict(event.body))


def test_events_about_other_things_are_passed_over(provider: StripeProvider) -> None:
    for body in (
        told("charge.dispute.created", id="dp_1", currency="usd", amount=5),
        told("invoice.paid", id="in_9", amount_paid=5, currency="dkk", metadata={}),
    ):
        event = provider.read_webhook(signed(body), body, NOW)
        assert not event.kind.startswith("payment.") and event.amount is None


def test_forged_old_and_early_webhooks_are_refused(provider: StripeProvider) -> None:
    good = signed(PAID)
    early, late = (datetime.fromtimestamp(NOW.timestamp() + shift, UTC) for shift in (301, -301))
    cases: list[tuple[dict[str, str], bytes]] = [
        (good, PAID.replace(b"1250", b"9999")),
        (signed(PAID, secret="whsec_other"), PAID),
        (signed(PAID, early), PAID),
        (signed(PAID, late), PAID),
        ({}, PAID),
        ({"stripe-signature": "t=soon,v1=x"}, PAID),
        ({"stripe-signature": "v1=x"}, PAID),
        ({"stripe-signature": "t=1,v1=签"}, PAID),
        ({"stripe-signature": good["stripe-signature"].replace("v1=", "v0=")}, PAID),
        (good, b"\xff\xfe"),
    ]
    for given, body in cases:
        with pytest.raises(ForgedWebhook):
            provider.read_webhook(given, body, NOW)


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"type":"invoice.paid"}', b"1", told("invoice.paid", currency="usd")])
def test_an_authentic_event_that_is_none_is_bad_input(provider: StripeProvider, body: bytes) -> None:
    with pytest.raises(BadPaymentEvent):
        provider.read_webhook(signed(body), body, NOW)


def test_secrets_come_from_the_environment_and_all_that_are_missing_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingSecret) as refusal:
        PROVIDERS.get("stripe")(Settings({}, tmp_path))
    assert [problem.split()[-1] for problem in refusal.value.problems] == [
        "MODELMINT_STRIPE_KEY", "MODELMINT_STRIPE_WEBHOOK_SECRET",
    ]  # fmt: skip
    given = {"MODELMINT_STRIPE_KEY": KEY, "MODELMINT_STRIPE_WEBHOOK_SECRET": SECRET}
    assert PROVIDERS.get("stripe")(Settings(given, tmp_path)).name == "stripe"
