"""Partners, statements, referral codes and channels as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelmint.cli.types import Column, TableView
from modelmint.cli.views.selling import day, minute
from modelmint.commerce.channels.types import ChannelRow, Partner, PartnerStatement, Referral
from modelmint.kit.period import Period
from modelmint.sdk.views.figures import DASH, count


def partners_view(partners: Sequence[Partner]) -> TableView:
    """Who sells for the venture, on which terms."""
    rows = tuple((p.name, p.terms, f"{(p.rate * 100).normalize():f} %", day(p.created_at), p.id) for p in partners)
    columns = (Column("partner"), Column("terms"), Column("share", True), Column("since"), Column("id"))
    return TableView(count(len(partners), "partner"), columns, rows, {})


def statement_view(statement: PartnerStatement, names: Mapping[str, str]) -> TableView:
    """One currency; each line an end customer."""
    rows = [
        (
            names.get(line.customer, line.customer),
            ", ".join(str(number) for number in line.invoices) or DASH,
            str(line.net),
            str(line.due),
            str(line.share),
        )
        for line in statement.lines
    ]
    rows.append(("total", "", str(statement.net), "", str(statement.share)))
    columns = (
        Column("end customer"), Column("invoices"), Column("net", True), Column("due", True), Column("share", True),
    )  # fmt: skip
    share = f"{(statement.rate * 100).normalize():f} %"
    booked = f"booked {minute(statement.closed_at)}" if statement.closed_at else "not booked yet"
    owed = f"; the partner owes us {statement.owed}" if statement.owed.minor else ""
    owed += f"; {statement.paid} paid out" if statement.paid.minor else ""
    title = f"{statement.period.start:%Y-%m}, {statement.terms} {share} of the net, {booked}{owed}"
    return TableView(title, columns, tuple(rows), {})


def referrals_view(referrals: Sequence[Referral], names: Mapping[str, str]) -> TableView:
    """``names``: partner id -> name."""
    rows = tuple(
        (
            one.code,
            one.channel,
            names.get(one.partner, one.partner) if one.partner else DASH,
            day(one.created_at),
            "withdrawn " + day(one.withdrawn_at) if one.withdrawn_at else "valid",
        )
        for one in referrals
    )
    marks = {index: "bad" for index, one in enumerate(referrals) if one.withdrawn_at}
    columns = (Column("code"), Column("channel"), Column("partner"), Column("since"), Column("state"))
    return TableView(count(len(referrals), "referral code"), columns, rows, marks)


def channels_view(rows: Sequence[ChannelRow], period: Period) -> TableView:
    """One row per channel and currency."""
    cells = tuple(
        (
            row.channel,
            str(row.signups),
            str(row.customers),
            str(row.revenue),
            str(row.cost),
            str(row.commission),
            str(row.margin),
        )
        for row in rows
    )
    columns = (
        Column("channel"), Column("sign-ups", True), Column("customers", True), Column("revenue", True),
        Column("cost", True), Column("commission", True), Column("margin", True),
    )  # fmt: skip
    note = "customers: that earned something; cost: machine time, payment fees, credit given away; from the ledger."
    return TableView(f"Channels from {day(period.start)} up to {day(period.end)}", columns, cells, {}, note)
