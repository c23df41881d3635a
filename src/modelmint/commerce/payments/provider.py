"""What a payment provider can do: four things, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.payments.errors import MissingSecret
from modelmint.commerce.payments.types import Answer, Attempt, Checkout, PaymentEvent, ReturnUrls
from modelmint.commerce.types import Customer


class PaymentProvider(Protocol):
    """Takes money for invoices. Methods may block for seconds and raise ``ProviderUnavailable``."""

    @property
    def name(self) -> str:
        """As it stands in ``[billing] provider`` and in the ledger's accounts."""
        ...

    def enrol(self, customer: Customer) -> str:
        """The provider's name for a customer; the same customer enrolled twice stays one."""
        ...

    def checkout(self, invoice: Invoice, customer: str, attempt: Attempt, urls: ReturnUrls) -> Checkout:
        """A page to pay on. ``customer`` is what ``enrol`` gave. The same attempt twice gives the same page."""
        ...

    def collect(self, invoice: Invoice, customer: str, attempt: Attempt) -> Answer:
        """Take ``attempt.amount`` without the customer. The same attempt asked again takes nothing more.

        Raises ``AmountNotChargeable``, ``ProviderRefused``, and ``ProviderUnavailable`` where the outcome is unknown.
        """
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> PaymentEvent:
        """What an authentic webhook tells; ``headers`` has lower-case names. Raises ``ForgedWebhook``."""
        ...


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a provider finds its secrets and keeps what it must."""

    environment: Mapping[str, str]
    #: A folder of its own in the workspace; need not exist.
    folder: Path

    def secrets(self, provider: str, *names: str) -> list[str]:
        """From environment variables only; raises ``MissingSecret`` naming every one that is not there."""
        missing = [name for name in names if not self.environment.get(name)]
        if missing:
            raise MissingSecret(
                f"payments by {provider} need secrets from the environment, where these are missing",
                problems=[f"set {name}" for name in missing],
            )
        return [self.environment[name] for name in names]
