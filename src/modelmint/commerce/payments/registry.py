"""The payment providers that there are."""

from __future__ import annotations

from collections.abc import Callable

from modelmint.commerce.payments.fake import fake_provider
from modelmint.commerce.payments.provider import PaymentProvider, Settings
from modelmint.commerce.payments.stripe_adapter import stripe_provider
from modelmint.kit.registry import Registry

PROVIDERS: Registry[Callable[[Settings], PaymentProvider]] = Registry(
    "payment provider", {"fake": fake_provider, "stripe": stripe_provider}
)
