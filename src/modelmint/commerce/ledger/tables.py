"""The ledger and the invoices as flat tables, for export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.kit.canonical import canonical_json
from modelmint.kit.table_file import Column

ENTRIES = (
    Column("seq", "whole"), Column("at", "time"), Column("transaction"), Column("id"), Column("account"),
    Column("amount", "amount"), Column("minor", "whole"), Column("currency"), Column("memo"), Column("data"),
    Column("hash"),
)  # fmt: skip

INVOICES = (
    Column("number", "whole"), Column("id"), Column("kind"), Column("corrects", "whole"), Column("customer"),
    Column("customer_name"), Column("plan"), Column("plan_version"), Column("from", "time"), Column("to", "time"),
    Column("finalised_at", "time"), Column("currency"), Column("subtotal", "amount"), Column("tax", "amount"),
    Column("total", "amount"), Column("credit", "amount"), Column("due", "amount"), Column("tax_rate"),
    Column("tax_name"),
)  # fmt: skip


def entry_rows(entries: Iterable[LedgerEntry]) -> Iterator[tuple[Any, ...]]:
    """Cells of ``ENTRIES``."""
    for entry in entries:
        yield (
            entry.seq, entry.at, entry.transaction, entry.id, entry.account, entry.amount.amount, entry.amount.minor,
            entry.amount.currency, entry.memo, canonical_json(entry.data).decode(), entry.hash,
        )  # fmt: skip


def invoice_rows(invoices: Iterable[Invoice]) -> Iterator[tuple[Any, ...]]:
    """Cells of ``INVOICES``."""
    for one in invoices:
        yield (
            one.number, one.id, one.kind, one.corrects, one.customer, one.customer_name, one.plan, one.plan_version,
            one.period.start, one.period.end, one.finalised_at, one.currency, one.subtotal.amount, one.tax.amount,
            one.total.amount, one.credit.amount, one.due.amount, f"{one.tax_rate:f}", one.tax_name,
        )  # fmt: skip
