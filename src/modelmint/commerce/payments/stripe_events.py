"""What Stripe tells by webhook: whether it is authentic, and what of it concerns us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from modelmint.commerce.payments.errors import BadPaymentEvent
from modelmint.commerce.payments.types import PaymentEvent
from modelmint.commerce.webhooks.errors import ForgedWebhook
from modelmint.commerce.webhooks.signing import TOLERANCE
from modelmint.kit.money import EXPONENTS, Money

HEADER = "stripe-signature"
#: Stripe's type of event -> ours, and the field of its object that holds the amount.
_KINDS = {
    "invoice.paid": ("payment.succeeded", "amount_paid"),
    "invoice.payment_failed": ("payment.failed", "amount_due"),
    "checkout.session.completed": ("payment.succeeded", "amount_total"),
    "checkout.session.async_payment_succeeded": ("payment.succeeded", "amount_total"),
    "checkout.session.async_payment_failed": ("payment.failed", "amount_total"),
    "charge.refunded": ("payment.refunded", "amount_refunded"),
}


def verified(stripe: Any, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, Any]:
    """The event, once its signature and its age hold; raises ``ForgedWebhook``, ``BadPaymentEvent``."""
    given = headers.get(HEADER, "")
    try:
        text = body.decode()
        # The package's own check reads the machine's clock and takes times to come; ours is handed in.
        stripe.WebhookSignature.verify_header(text, given, secret)
        sent = next(int(part.partition("=")[2]) for part in given.split(",") if part.startswith("t="))
    except Exception as error:  # a header made to break the parser is as forged as a wrong one
        raise ForgedWebhook(f"expected {HEADER} over this body by our secret; it is missing or wrong") from error
    if abs(now.timestamp() - sent) > TOLERANCE:
        raise ForgedWebhook(f"expected an event signed within {TOLERANCE} s of now; this one is older, or from later")
    try:
        event = json.loads(text)
    except ValueError as error:
        raise BadPaymentEvent("expected a JSON object, found something else") from error
    if not isinstance(event, dict):
        raise BadPaymentEvent("expected a JSON object, found another kind of JSON")
    return event


def event_of(provider: str, event: Mapping[str, Any]) -> PaymentEvent:
    """Ours; events of other types keep their name and are passed over."""
    try:
        told, kind = event["data"]["object"], str(event["type"])
        kind, field = _KINDS.get(kind, (kind, ""))
        if event["type"] == "checkout.session.completed" and told["payment_status"] != "paid":
            kind = "checkout.completed"  # a bank transfer is on its way: another event tells how it ended
        currency = str(told.get("currency") or "").upper()
        if field and currency not in EXPONENTS:  # no invoice of ours: another business on the same account
            kind, field = str(event["type"]), ""
        amount = Money(int(told[field]), currency) if field else None
        metadata = told.get("metadata") or {}
        named = str(metadata.get("attempt") or told.get("client_reference_id") or "")
        payment = payment_of(told)  # never an invoice's own name: refunds do not name that
        reason = str(told.get("failure_code") or ("declined" if kind == "payment.failed" else ""))
        at = datetime.fromtimestamp(int(event["created"]), UTC)
        kept = {"type": str(event["type"]), "object": str(told.get("id", "")), "reason": reason}
        return PaymentEvent(
            provider,
            str(event["id"]),
            kind,
            named or payment or kept["object"],
            at,
            amount,
            reason,
            kept,
            None,
            payment,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadPaymentEvent(f"expected an event as Stripe documents it; cannot read it ({error})") from error


def payment_of(told: Mapping[str, Any]) -> str:
    """The payment behind a Stripe object, which refunds name; "" where it is not said."""
    for one in (told.get("payments") or {}).get("data", []):
        intent = (one.get("payment") or {}).get("payment_intent")
        if intent:
            return _id(intent)
    return _id(told.get("payment_intent") or "")


def _id(found: Any) -> str:
    """Stripe writes a name, or the whole object where it was asked to expand it."""
    return str(found["id"] if isinstance(found, Mapping) else found)
