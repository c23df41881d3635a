"""Customers, keys, plans, usage, invoices and the ledger as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from modelmint.cli.types import Column, TableView
from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.metering.types import UsageSummary
from modelmint.commerce.plan_terms import terms_of
from modelmint.commerce.types import Customer, Plan, Subscription
from modelmint.kit.money import Money
from modelmint.sdk.views.figures import DASH, count


def day(moment: datetime | None) -> str:
    """The date in UTC."""
    return DASH if moment is None else moment.strftime("%Y-%m-%d")


def minute(moment: datetime | None) -> str:
    """Date and time in UTC, to the minute."""
    return DASH if moment is None else moment.strftime("%Y-%m-%d %H:%M")


def customers_view(customers: Sequence[Customer], plans: dict[str, str]) -> TableView:
    """``plans``: customer id -> plan held now."""
    return TableView(
        title=count(len(customers), "customer"),
        columns=(Column("name"), Column("e-mail"), Column("plan"), Column("since"), Column("id")),
        rows=tuple((c.name, c.email or DASH, plans.get(c.id, DASH), day(c.created_at), c.id) for c in customers),
        marks={},
    )


def plans_view(plans: Sequence[Plan], holders: dict[str, int]) -> TableView:
    """``holders``: plan name -> customers that hold any version of it now."""
    rows = tuple((p.name, p.title or DASH, terms_of(p), str(holders.get(p.name, 0)), p.version) for p in plans)
    columns = (Column("plan"), Column("title"), Column("terms"), Column("customers", True), Column("version"))
    return TableView(count(len(plans), "plan") + " on sale", columns, rows, {})


def subscriptions_view(subscriptions: Sequence[Subscription]) -> TableView:
    """What one customer held and holds."""
    rows = tuple(
        (s.plan, s.plan_version, s.state, minute(s.starts_at), minute(s.ends_at) if s.ends_at else "open")
        for s in subscriptions
    )
    columns = (Column("plan"), Column("version"), Column("state"), Column("from"), Column("until"))
    return TableView("Plans", columns, rows, {})


def usage_view(summaries: Sequence[UsageSummary], names: dict[str, str]) -> TableView:
    """Billable calls per customer, and what was refused and therefore not billed."""
    rows = tuple(
        (
            names.get(s.customer, s.customer),
            f"{s.calls:,}",
            f"{s.items:,}",
            ", ".join(f"{model} {count:,}" for model, count in s.by_model.items()) or DASH,
            ", ".join(f"{code} {count:,}" for code, count in s.refused.items()) or DASH,
        )
        for s in summaries
    )
    period = summaries[0].period if summaries else None
    title = f"Usage from {day(period.start)} up to {day(period.end)}" if period else "Usage: no customers yet"
    columns = (
        Column("customer"), Column("billable calls", True), Column("items", True), Column("by model"),
        Column("refused or failed, not billed"),
    )  # fmt: skip
    return TableView(title, columns, rows, {})


def invoices_view(invoices: Sequence[Invoice], statuses: Mapping[str, str] | None = None) -> TableView:
    """Finalised invoices; ``statuses``: invoice id -> where it stands, left out where nobody asked."""
    rows = tuple(
        (
            str(i.number),
            i.customer_name,
            f"{day(i.period.start)} to {day(i.period.end)}",
            i.plan,
            str(i.total),
            str(i.due),
            f"corrects {i.corrects}" if i.corrects else (statuses or {}).get(i.id, DASH),
            i.id,
        )
        for i in invoices
    )
    columns = (
        Column("number", True), Column("customer"), Column("period"), Column("plan"), Column("total", True),
        Column("due", True), Column("status"), Column("id"),
    )  # fmt: skip
    marks = {index: "bad" for index, i in enumerate(invoices) if (statuses or {}).get(i.id) == "void"}
    return TableView(count(len(invoices), "invoice"), columns, rows, marks)


def ledger_view(entries: Sequence[LedgerEntry]) -> TableView:
    """Every leg of every transaction, oldest first."""
    rows = tuple((minute(e.at), e.transaction, e.account, str(e.amount), e.memo) for e in entries)
    columns = (Column("when"), Column("transaction"), Column("account"), Column("amount", True), Column("memo"))
    return TableView(count(len(entries), "ledger entry", "ledger entries"), columns, rows, {})


def balances_view(balances: Mapping[tuple[str, str], Money]) -> TableView:
    """``balances``: (account, currency) -> what stands on it. A customer owes what is positive."""
    rows = tuple((account, str(balance)) for (account, _), balance in balances.items())
    note = "receivable: what a customer owes (positive); revenue: what was earned (negative). The sum is zero."
    return TableView("Balances", (Column("account"), Column("balance", True)), rows, {}, note)
