"""Payments by Stripe, on its own package (extra ``stripe``), which is imported when it is first needed.

One Stripe invoice for each of ours, which Stripe itself lets be paid once; every attempt first looks for it, so that
nothing is charged twice however late an attempt is repeated. Never run against the real service: see docs/payments.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.payments.amounts import charged_minor
from modelmint.commerce.payments.errors import ProviderRefused, ProviderUnavailable
from modelmint.commerce.payments.provider import Settings
from modelmint.commerce.payments.stripe_events import event_of, payment_of, verified
from modelmint.commerce.payments.stripe_items import items_of
from modelmint.commerce.payments.types import Answer, Attempt, Checkout, PaymentEvent, ReturnUrls
from modelmint.commerce.payments.usage_sink import UsageLimits
from modelmint.commerce.types import Customer
from modelmint.kit.digest import digest_value
from modelmint.kit.errors import MissingExtra

NAME = "stripe"
KEY, WEBHOOK_SECRET, BASE = "MODELMINT_STRIPE_KEY", "MODELMINT_STRIPE_WEBHOOK_SECRET", "MODELMINT_STRIPE_BASE"
SECONDS = 20
RETRIES = 2
#: How they word that a meter event's identifier is known; the code beside it may be missing.
_COUNTED = "event already exists with identifier"


class StripeProvider:
    """``PaymentProvider`` and ``UsageSink``. ``base`` is another address of the API, for tests and proxies."""

    name = NAME
    #: As they document meter events: 35 days back, identifiers unique within at least a day.
    usage_limits = UsageLimits(age=timedelta(days=35), memory=timedelta(hours=24))

    def __init__(self, key: str, webhook_secret: str, base: str | None = None) -> None:
        stripe = _package()
        addresses: Any = {"api": base} if base else {}
        self._api = stripe.StripeClient(
            key,
            base_addresses=addresses,
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=SECONDS),
        ).v1
        self._secret = webhook_secret

    def enrol(self, customer: Customer) -> str:
        wanted: dict[str, Any] = {"name": customer.name, "metadata": {"customer": customer.id}}
        if customer.email:
            wanted["email"] = customer.email
        with _asked():
            made = self._api.customers.create(wanted, _once(f"enrol-{customer.id}-{digest_value(wanted)[:16]}"))
        return str(made.id)

    def checkout(self, invoice: Invoice, customer: str, attempt: Attempt, urls: ReturnUrls) -> Checkout:
        named = {"attempt": attempt.id, "invoice": invoice.id}
        price = {
            "currency": attempt.amount.currency.lower(),
            "unit_amount": charged_minor(attempt.amount),
            "product_data": {"name": f"Invoice {invoice.number}"},
        }
        wanted: dict[str, Any] = {
            "mode": "payment",
            "customer": customer,
            "client_reference_id": attempt.id,
            "success_url": urls.success,
            "cancel_url": urls.cancel,
            "line_items": [{"quantity": 1, "price_data": price}],
            "metadata": named,
            "payment_intent_data": {"metadata": named},
        }
        with _asked():
            page = self._api.checkout.sessions.create(wanted, _once(f"{attempt.id}-checkout"))
        return Checkout(str(page.url), str(page.id))

    def collect(self, invoice: Invoice, customer: str, attempt: Attempt) -> Answer:
        amount = charged_minor(attempt.amount)
        with _asked():
            found = self._known(invoice, customer)
            if found is not None and found["status"] == "paid":
                return Answer("succeeded", payment_of(found) or str(found["id"]))
            theirs = self._ready(found, invoice, customer, attempt, amount)
            if theirs["amount_remaining"] != amount:
                self._api.invoices.void_invoice(theirs["id"], options=_once(f"{attempt.id}-void-{theirs['id']}"))
                raise ProviderRefused(
                    f"the provider would take {theirs['amount_remaining']} instead of {amount} for invoice "
                    f"{invoice.number}; is there a balance or a discount on its customer {customer}?"
                )
            return self._pay(theirs["id"], attempt)

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> PaymentEvent:
        event = event_of(NAME, verified(_package(), self._secret, headers, body, now))
        if event.body["type"] == "invoice.paid" and event.reference.startswith("att_") and not event.payment:
            # Stripe leaves the payment out of this event, and refunds name nothing else: ask while it can be asked.
            with suppress(ProviderRefused), _asked():
                theirs = self._api.invoices.retrieve(str(event.body["object"]), {"expand": ["payments"]})
                return replace(event, payment=payment_of(_plain(theirs)))
        return event

    def report_usage(self, customer: str, meter: str, quantity: int, identifier: str, at: datetime) -> None:
        """A meter event, for whoever charts usage at Stripe, too: the same ``identifier`` twice counts once there.

        What customers pay is computed here; nothing of it depends on this. The identifier is all that makes it count
        once: an idempotency key of ours would bring back the error of a day ago instead of a new try.
        """
        wanted: dict[str, Any] = {
            "event_name": meter,
            "identifier": identifier,
            "timestamp": int(at.timestamp()),
            "payload": {"stripe_customer_id": customer, "value": str(quantity)},
        }
        with _asked():
            try:
                self._api.billing.meter_events.create(wanted)
            except _package().InvalidRequestError as error:
                if error.code != "duplicate_meter_event" and _COUNTED not in str(error):
                    raise

    def _known(self, invoice: Invoice, customer: str) -> dict[str, Any] | None:
        """Their invoice of ours, if there is one that is not void."""
        since = int((invoice.finalised_at - timedelta(days=1)).timestamp())
        wanted: dict[str, Any] = {
            "customer": customer,
            "created": {"gte": since},
            "limit": 100,
            "expand": ["data.payments"],
        }
        for found in self._api.invoices.list(wanted).auto_paging_iter():
            one = _plain(found)
            if one["metadata"].get("invoice") == invoice.id and one["status"] in ("draft", "open", "paid"):
                return one
        return None

    def _ready(
        self, found: dict[str, Any] | None, invoice: Invoice, customer: str, attempt: Attempt, amount: int
    ) -> dict[str, Any]:
        """Their invoice over the amount, finalised; what a crash or a credit note left behind is cleared away."""
        salt = ""
        if found is not None and found["amount_remaining"] != amount:
            self._discard(found, attempt)
            salt, found = f"-{found['id']}", None
        if found is None:
            found = self._made(invoice, customer, attempt, amount, salt)
        else:
            change: Any = {"metadata": {"invoice": invoice.id, "attempt": attempt.id}}
            found = _plain(self._api.invoices.update(found["id"], change, _once(f"{attempt.id}-name-{found['id']}")))
        if found["status"] == "draft":
            done = _once(f"{attempt.id}-finalise-{found['id']}")
            found = _plain(self._api.invoices.finalize_invoice(found["id"], {"auto_advance": False}, done))
        return found

    def _made(self, invoice: Invoice, customer: str, attempt: Attempt, amount: int, salt: str) -> dict[str, Any]:
        currency = attempt.amount.currency.lower()
        wanted: dict[str, Any] = {
            "customer": customer,
            "currency": currency,
            "collection_method": "charge_automatically",
            "auto_advance": False,
            "pending_invoice_items_behavior": "exclude",
            "description": f"Invoice {invoice.number}",
            "metadata": {"invoice": invoice.id, "attempt": attempt.id},
        }
        made = _plain(self._api.invoices.create(wanted, _once(f"{attempt.id}-invoice{salt}")))
        for number, (description, minor) in enumerate(items_of(invoice, amount)):
            item: Any = {
                "customer": customer,
                "invoice": made["id"],
                "currency": currency,
                "amount": minor,
                "description": description,
            }
            self._api.invoice_items.create(item, _once(f"{attempt.id}-item-{number}-{made['id']}"))
        return made

    def _discard(self, found: dict[str, Any], attempt: Attempt) -> None:
        done = _once(f"{attempt.id}-discard-{found['id']}")
        if found["status"] == "draft":
            self._api.invoices.delete(found["id"], options=done)
        else:
            self._api.invoices.void_invoice(found["id"], options=done)

    def _pay(self, theirs: str, attempt: Attempt) -> Answer:
        wanted: Any = {"off_session": True, "expand": ["payments"]}
        try:
            paid = _plain(self._api.invoices.pay(theirs, wanted, _once(f"{attempt.id}-pay")))
        except _package().CardError as error:
            reason = (error.json_body or {}).get("error", {}).get("decline_code") or error.code or "declined"
            return Answer("failed", theirs, str(reason))
        return Answer("succeeded" if paid["status"] == "paid" else "pending", payment_of(paid) or theirs)


def stripe_provider(settings: Settings) -> StripeProvider:
    """With its secrets from the environment. Raises ``MissingSecret``, ``MissingExtra``."""
    key, webhook_secret = settings.secrets(NAME, KEY, WEBHOOK_SECRET)
    return StripeProvider(key, webhook_secret, settings.environment.get(BASE) or None)


def _package() -> Any:
    try:
        import stripe
    except ImportError as error:
        raise MissingExtra("stripe", "taking payments by Stripe") from error
    return stripe


def _once(key: str) -> Any:
    return {"idempotency_key": key}


def _plain(found: Any) -> dict[str, Any]:
    """A Stripe object as plain JSON."""
    plain: dict[str, Any] = json.loads(json.dumps(found.to_dict(), default=str))
    return plain


@contextmanager
def _asked() -> Iterator[None]:
    """Stripe's errors as ours: refused, or not known what became of it."""
    stripe = _package()
    refused: tuple[Any, ...] = (
        stripe.InvalidRequestError, stripe.AuthenticationError, stripe.PermissionError, stripe.CardError,
    )  # fmt: skip
    try:
        yield
    except refused as error:
        if error.http_status in (409, 429):
            raise ProviderUnavailable(f"Stripe is busy: {_said(error)}", retry_after=60) from error
        raise ProviderRefused(f"Stripe refused: {_said(error)}") from error
    except stripe.IdempotencyError as error:
        raise ProviderRefused(f"Stripe knows this request with other contents: {_said(error)}") from error
    except stripe.StripeError as error:
        raise ProviderUnavailable(f"Stripe cannot be asked now: {_said(error)}", retry_after=60) from error


def _said(error: Any) -> str:
    """What the error says, without what may be personal: only its codes."""
    parts = [str(part) for part in (error.http_status, error.code, getattr(error, "param", None)) if part]
    return " ".join(parts) or type(error).__name__
