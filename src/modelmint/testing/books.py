"""Books with somebody in them who calls: for tests of whatever is metered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from modelmint.commerce.catalog import plans_from
from modelmint.commerce.repository import Books
from modelmint.commerce.types import AdmissionRequest, Admitted, Customer, Key, Outcome, Plan, Settlement
from modelmint.kit.digest import digest_bytes
from modelmint.venture.sections.plans import PlanSection

#: Noon, in the middle of a billing period.
START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
#: The plans of the sample venture, and one with every limit.
PLANS: dict[str, dict[str, Any]] = {
    "trial": {"free_calls": 5, "days": 14},
    "payg": {"per_call": "0.02 USD"},
    "clinic": {"monthly": "49 USD", "included_calls": 10, "overage": "0.015 USD"},
    "strict": {"per_call": "0.02 USD", "max_calls": 5, "calls_per_minute": 60},
}


def some_plans(tables: Mapping[str, Mapping[str, Any]] = PLANS) -> list[Plan]:
    """Plans from tables as they stand in ``venture.toml``."""
    return plans_from({name: PlanSection.model_validate(dict(table)) for name, table in tables.items()})


@dataclass(frozen=True)
class Caller:
    """A customer with a plan and a key."""

    books: Books
    customer: Customer
    key: Key
    secret: str
    model: str = "reader"

    @property
    def digest(self) -> str:
        """sha256 of the secret, as a request carries it."""
        return digest_bytes(self.secret.encode())

    def request(self, calls: int = 1, **more: Any) -> AdmissionRequest:
        """One request for ``calls`` calls."""
        return AdmissionRequest(self.digest, self.model, calls, calls, **more)

    def reserve(self, calls: int = 1, **more: Any) -> Admitted:
        """Admitted, and durable; raises the refusal."""
        ticket = self.books.reserve(self.request(calls, **more))
        admitted = ticket.decided.result(60)
        ticket.durable.result(60)
        return admitted

    def settle(self, admitted: Admitted, status: int = 200, code: str = "ok", **more: Any) -> Outcome:
        """End a call, durably."""
        more.setdefault("compute_ms", Decimal("1.5"))
        return self.books.settle(Settlement(admitted.reservation, status, code, **more)).result(60)

    def call(self, calls: int = 1, times: int = 1) -> list[Outcome]:
        """``times`` requests of ``calls`` calls, served one after the other."""
        return [self.settle(self.reserve(calls)) for _ in range(times)]


def a_caller(books: Books, plan: str | None = "payg", name: str = "Clinic North") -> Caller:
    """A new customer who holds ``plan``; the plans are put on sale beside those that are."""
    books.put_plans([*(other for other in books.plans() if other.name not in PLANS), *some_plans()])
    customer = books.add_customer(name, f"{name.lower().replace(' ', '.')}@example.org")
    if plan is not None:
        books.subscribe(customer.id, plan)
    key, secret = books.add_key(customer.id, "default")
    return Caller(books, customer, key, secret)
