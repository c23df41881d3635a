"""A provider that takes no money: for the demo, for tests, and to see how refusals look before they cost anything.

It behaves as the real ones do on a bad day: it refuses cards, answers late, and sends each webhook twice and the
newest first. What it does follows from the customer's name or e-mail: ``declines`` refuses always, ``declines once``
and ``declines twice`` so often, ``slow`` says "pending" and tells the outcome by webhook.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.payments.errors import BadPaymentEvent
from modelmint.commerce.payments.provider import Settings
from modelmint.commerce.payments.types import Answer, Attempt, Checkout, PaymentEvent, ReturnUrls
from modelmint.commerce.types import Customer
from modelmint.commerce.webhooks.signing import headers, new_secret, verify
from modelmint.kit.canonical import canonical_json
from modelmint.kit.files import write_atomic
from modelmint.kit.ids import new_id
from modelmint.kit.money import Money

NAME = "fake"
DECLINED = "card_declined"
_RULE = re.compile(r"\b(declines once|declines twice|declines|slow)\b")
_TIMES = {"declines-once": 1, "declines-twice": 2}
_FIELDS = ("id", "kind", "attempt", "at", "minor", "currency", "reason", "fee")


class FakeProvider:
    """``PaymentProvider``; what it knows lies in ``folder``, one file per charge, so that processes share it."""

    name = NAME

    def __init__(self, folder: Path, secret: str) -> None:
        self._charges, self._outgoing, self._secret = folder.joinpath("charges"), folder.joinpath("outgoing"), secret

    def enrol(self, customer: Customer) -> str:
        found = _RULE.search(f"{customer.name} {customer.email}".lower())
        return f"{NAME}_{customer.id}" + (f"_{found[1].replace(' ', '-')}" if found else "")

    def checkout(self, invoice: Invoice, customer: str, attempt: Attempt, urls: ReturnUrls) -> Checkout:
        """Nobody sees the page: the customer pays at once, or is refused by the same rules."""
        self._charge(invoice, customer, attempt)
        return Checkout(f"https://pay.invalid/{attempt.id}", f"{NAME}_{attempt.id}")

    def collect(self, invoice: Invoice, customer: str, attempt: Attempt) -> Answer:
        charge = self._charge(invoice, customer, attempt)
        reference = f"{NAME}_{attempt.id}"
        if customer.endswith("_slow") and charge["asked"] == 1:
            return Answer("pending", reference)
        if charge["declined"]:
            return Answer("failed", reference, DECLINED)
        return Answer("succeeded", reference, fee=_fee(attempt.amount))

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> PaymentEvent:
        verify(self._secret, headers, body, int(now.timestamp()))
        try:
            told = json.loads(body)
            at = datetime.fromisoformat(told["at"])
            amount = Money(told["minor"], told["currency"])
            fee = Money(told["fee"], told["currency"]) if told["fee"] else None
            kept = {name: told[name] for name in _FIELDS}
            return PaymentEvent(
                NAME, str(told["id"]), str(told["kind"]), str(told["attempt"]), at, amount, str(told["reason"]), kept,
                fee, f"{NAME}_{told['attempt']}",
            )  # fmt: skip
        except (ValueError, KeyError, TypeError) as error:
            raise BadPaymentEvent(f"expected an event of the fake provider, found something else ({error})") from error

    def webhooks(self, now: datetime) -> list[tuple[dict[str, str], bytes]]:
        """Headers and body of what it would send now: the newest first, each twice. Forgotten once it was taken."""
        found = []
        for path in sorted(self._outgoing.glob("*.json"), reverse=True):
            with suppress(FileNotFoundError):  # another process was faster
                body = path.read_bytes()
                path.unlink()
                found.append((headers([self._secret], path.stem, int(now.timestamp()), body), body))
        return [one for one in found for _ in range(2)]

    def refund(self, attempt: Attempt, amount: Money, now: datetime) -> None:
        """As if the founder gave money back on the provider's own page; ``amount`` is all so far."""
        self._tell("payment.refunded", attempt, amount, now)

    def _charge(self, invoice: Invoice, customer: str, attempt: Attempt) -> dict[str, Any]:
        """The charge under the attempt's key: made once, however often it is asked for."""
        path = self._charges.joinpath(f"{attempt.id}.json")
        charge: dict[str, Any]
        if path.exists():
            charge = json.loads(path.read_bytes())
            charge["asked"] += 1
        else:
            former = [json.loads(one.read_bytes())["invoice"] for one in self._charges.glob("*.json")]
            rule = customer.rpartition("_")[2]
            declined = rule == "declines" or former.count(invoice.id) < _TIMES.get(rule, 0)
            charge = {"invoice": invoice.id, "minor": attempt.amount.minor, "declined": declined, "asked": 1}
            kind = "payment.failed" if declined else "payment.succeeded"
            self._tell(kind, attempt, attempt.amount, attempt.at, DECLINED if declined else "")
        write_atomic(path, canonical_json(charge), mode=0o600)
        return charge

    def _tell(self, kind: str, attempt: Attempt, amount: Money, at: datetime, reason: str = "") -> None:
        event = {
            "id": new_id("evt"),
            "kind": kind,
            "attempt": attempt.id,
            "at": at,
            "minor": amount.minor,
            "currency": amount.currency,
            "reason": reason,
            "fee": _fee(amount).minor if kind == "payment.succeeded" else 0,
        }
        write_atomic(self._outgoing.joinpath(f"{event['id']}.json"), canonical_json(event), mode=0o600)


def _fee(amount: Money) -> Money:
    """2 % down to a whole coin."""
    return Money(amount.minor * 2 // 100, amount.currency)


def fake_provider(settings: Settings) -> FakeProvider:
    """With a secret of its own in the workspace, made at first use: a well-known one would let anybody pay."""
    path = settings.folder.joinpath("webhook.secret")
    if not path.exists():
        write_atomic(path, new_secret() + "\n", mode=0o600)
    return FakeProvider(settings.folder, path.read_text().strip())
