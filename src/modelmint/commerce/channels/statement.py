"""What a partner earned in a month, worked out from the ledger, and how it is booked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from modelmint.commerce.channels.codes import WHOLESALE
from modelmint.commerce.channels.errors import StatementNotOver
from modelmint.commerce.channels.reading import Movement
from modelmint.commerce.channels.types import Partner, PartnerStatement, StatementLine
from modelmint.commerce.ledger.postings import receivable
from modelmint.commerce.ledger.types import LedgerEntry
from modelmint.kit.canonical import plain
from modelmint.kit.money import Money, round_money
from modelmint.kit.period import BadPeriod, Period, month_of


def statements(
    partner: Partner, period: Period, movements: Iterable[Movement], closed: dict[str, datetime]
) -> list[PartnerStatement]:
    """One for each currency in which the partner's customers were billed; ``closed``: currency -> when booked."""
    earning: dict[str, dict[str, list[Movement]]] = {}
    for movement in movements:
        if movement.earns:
            earning.setdefault(movement.currency, {}).setdefault(movement.customer, []).append(movement)
    return [
        _statement(partner, period, currency, earning[currency], closed.get(currency)) for currency in sorted(earning)
    ]


def _statement(
    partner: Partner, period: Period, currency: str, earned: dict[str, list[Movement]], closed_at: datetime | None
) -> PartnerStatement:
    lines = tuple(_line(partner, currency, customer, earned[customer]) for customer in sorted(earned))
    share = sum(line.share.minor for line in lines)
    owed = sum(line.due.minor for line in lines) - share if partner.terms == WHOLESALE else 0
    return PartnerStatement(
        partner=partner.id,
        period=period,
        currency=currency,
        terms=partner.terms,
        rate=partner.rate,
        lines=lines,
        net=Money(sum(line.net.minor for line in lines), currency),
        share=Money(share, currency),
        owed=Money(owed, currency),
        closed_at=closed_at,
        paid=Money(0, currency),
    )


def _line(partner: Partner, currency: str, customer: str, moved: Sequence[Movement]) -> StatementLine:
    net = Money(-sum(movement.sum("revenue:") for movement in moved), currency)
    return StatementLine(
        customer=customer,
        invoices=tuple(sorted({movement.invoice for movement in moved if movement.invoice is not None})),
        net=net,
        share=round_money(net.amount * partner.rate, currency),
        due=Money(sum(movement.sum("receivable:") for movement in moved), currency),
    )


def check_month(period: Period) -> None:
    """Raises ``BadPeriod`` unless ``period`` is a calendar month: statements follow each other without overlap."""
    if period != month_of(period.start):
        raise BadPeriod("a partner's statement covers a calendar month, UTC, like 2026-11")


def check_over(period: Period, now: datetime) -> None:
    """Raises ``StatementNotOver`` unless ``period`` has ended."""
    if now < period.end:
        raise StatementNotOver(
            f"{period.start:%Y-%m} ends at {period.end:%Y-%m-%dT%H:%M:%SZ}; close its statement after that",
            details={"ends": plain(period.end)},
        )


def payable(partner: str) -> str:
    """The account of what a partner is owed."""
    return f"payable:{partner}"


def commission(partner: str) -> str:
    """The account of what a partner's share cost."""
    return f"commission:{partner}"


def transaction_of(partner: str, period: Period, currency: str) -> str:
    """The one name that booking a statement can have, so that it is booked once."""
    return f"txn_stm_{partner.removeprefix('par_')}_{period.start:%Y%m}_{currency}"


def postings(partner: Partner, statement: PartnerStatement, at: datetime) -> list[LedgerEntry]:
    """The legs of a statement; the first is booked even over nothing, so that a closed statement is seen.

    Commission: the share is a cost, and owed to the partner. Wholesale: the same, and what its customers owe us the
    partner owes us from now on, since it bills them itself.
    """
    name = transaction_of(partner.id, statement.period, statement.currency)
    told = {"partner": partner.id, "month": f"{statement.period.start:%Y-%m}"}
    legs: list[tuple[str, Money, dict[str, Any]]] = [(payable(partner.id), -statement.share, told)]
    for line in statement.lines:
        data = {**told, "customer": line.customer}
        legs.append((commission(partner.id), line.share, data))
        if partner.terms == WHOLESALE:
            legs.append((receivable(partner.customer), line.due, data))
            legs.append((receivable(line.customer), -line.due, data))
    kept = [legs[0], *(leg for leg in legs[1:] if leg[1].minor)]
    memo = f"statement {statement.period.start:%Y-%m}"
    return [
        LedgerEntry(f"{name}_{position}", name, account, amount, at, memo, data)
        for position, (account, amount, data) in enumerate(kept)
    ]
