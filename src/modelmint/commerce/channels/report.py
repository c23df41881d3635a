"""Revenue, cost and margin per channel, from the ledger. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from modelmint.commerce.channels.codes import DIRECT
from modelmint.commerce.channels.reading import movements
from modelmint.commerce.channels.types import ChannelRow
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.commerce.types import Customer
from modelmint.kit.csv_text import csv_lines
from modelmint.kit.money import Money
from modelmint.kit.period import Period

#: What a sale costs besides commission: machine time, payment fees, credit given away.
COSTS = ("cost:", "fees:", "expense:")
#: Stands in the row of a channel in which no money moved, where none moved elsewhere either.
UNMOVED = "USD"
#: What a spreadsheet of the report shows; amounts are plain numbers.
COLUMNS = ("channel", "currency", "signups", "customers", "revenue", "cost", "commission", "margin")


def csv_text(rows: Iterable[ChannelRow]) -> str:
    """The report for a spreadsheet."""
    return "".join(csv_lines(COLUMNS, ([_cell(getattr(row, name)) for name in COLUMNS] for row in rows)))


def _cell(value: object) -> str:
    return str(value).split()[0] if isinstance(value, Money) else str(value)


@dataclass(slots=True)
class _Sums:
    customers: set[str] = field(default_factory=set)
    revenue: int = 0
    cost: int = 0
    commission: int = 0


def rows(entries: Iterable[LedgerEntry], customers: Iterable[Customer], period: Period) -> list[ChannelRow]:
    """One row per channel and currency; ``entries`` are those of ``period``, in the order of booking."""
    people = list(customers)
    channels = {one.id: one.channel or DIRECT for one in people}
    sums = _sums(list(entries), channels)
    signups: dict[str, int] = {}
    for one in people:
        if one.created_at in period:
            signups[channels[one.id]] = signups.get(channels[one.id], 0) + 1
    currency = min((known for _, known in sums), default=UNMOVED)
    for channel in signups:
        if not any(known == channel for known, _ in sums):
            sums[channel, currency] = _Sums()
    return [_row(key, sums[key], signups.get(key[0], 0)) for key in sorted(sums)]


def _sums(entries: list[LedgerEntry], channels: Mapping[str, str]) -> dict[tuple[str, str], _Sums]:
    sums: dict[tuple[str, str], _Sums] = {}

    def of(customer: str, currency: str) -> _Sums:
        return sums.setdefault((channels.get(customer, DIRECT), currency), _Sums())

    for movement in movements(entries):
        for entry in movement.entries:
            account, minor = entry.account, entry.amount.minor
            if account.startswith("revenue:"):
                row = of(movement.customer, entry.amount.currency)
                row.revenue -= minor
                row.customers.add(movement.customer)
            elif account.startswith(COSTS):
                of(movement.customer, entry.amount.currency).cost += minor
    for entry in entries:
        if entry.account.startswith("commission:"):
            of(str(entry.data.get("customer", "")), entry.amount.currency).commission += entry.amount.minor
    return sums


def _row(key: tuple[str, str], sums: _Sums, signups: int) -> ChannelRow:
    channel, currency = key
    return ChannelRow(
        channel=channel,
        currency=currency,
        signups=signups,
        customers=len(sums.customers),
        revenue=Money(sums.revenue, currency),
        cost=Money(sums.cost, currency),
        commission=Money(sums.commission, currency),
        margin=Money(sums.revenue - sums.cost - sums.commission, currency),
    )
