"""Long lists, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.types import Customer, Key

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list. ``next`` is what to ask for ``after`` with; "" on the last page."""

    rows: tuple[T, ...]
    next: str


@dataclass(frozen=True, slots=True)
class InvoicePage(Page[Invoice]):
    """Invoices with where they stand, by id."""

    statuses: Mapping[str, str]


class Lists(Protocol):
    """In the order of their making. All raise ``BadPosition`` for an ``after`` that no page gave."""

    def customers(self, after: str = "", limit: int = 100) -> Page[Customer]: ...

    def keys(self, customer: str | None = None, after: str = "", limit: int = 100) -> Page[Key]:
        """A customer's, or everybody's. Raises ``UnknownCustomer``."""
        ...

    def invoices(
        self,
        customer: str | None = None,
        after: str = "",
        limit: int = 100,
        *,
        status: str | None = None,
        newest: bool = False,
    ) -> InvoicePage:
        """By number, or the newest first; of one status where asked. Raises ``UnknownCustomer``."""
        ...
