"""``modelmint partners``, ``modelmint referrals``, ``modelmint channels``: who sells for the venture."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of
from modelmint.cli.views.plain import as_json

if TYPE_CHECKING:
    from modelmint.kit.period import Period

_WHO = "Id of the partner, or id or exact name of its customer."
_MONTH = "A month like 2026-11 (UTC); this one if left out."


def add(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id or exact name; add it as a customer first.")],
    rate: Annotated[str, typer.Option("--rate", help="Its share of the net, as '20 %' or 0.2.")],
    terms: Annotated[
        str, typer.Option("--terms", help="commission: we bill and owe the share; wholesale: the partner bills.")
    ] = "commission",
) -> None:
    """Make a customer a partner, who sees its own end customers and nobody else's."""
    session = session_of(ctx)
    made = session.shop.books.channels.add_partner(customer, terms, rate)

    def show(out: Output) -> None:
        out.say(f"{made.name} is a partner now ({made.id}, {made.terms}).", style="bold green")
        out.say(f"Next: {session.hint(f'keys add {made.customer} --name partner --scopes partner')}")

    session.out.answer({"partner": as_json(made)}, show)


def list_(ctx: typer.Context) -> None:
    """All partners with their terms."""
    from modelmint.cli.views.channels import partners_view

    session = session_of(ctx)
    found = session.shop.books.channels.partners()
    session.out.answer({"partners": as_json(found)}, lambda out: out.table(partners_view(found)))


def customers(ctx: typer.Context, partner: Annotated[str, typer.Argument(help=_WHO)]) -> None:
    """A partner's end customers."""
    from modelmint.cli.views.selling import customers_view

    session = session_of(ctx)
    books = session.shop.books
    found = books.channels.customers(partner)
    held = {one.id: books.contracts.current(one.id) for one in found}
    plans = {customer: span.plan for customer, span in held.items() if span is not None}
    session.out.answer({"customers": as_json(found)}, lambda out: out.table(customers_view(found, plans)))


def statement(
    ctx: typer.Context,
    partner: Annotated[str, typer.Argument(help=_WHO)],
    month: Annotated[str | None, typer.Option("--month", help=_MONTH)] = None,
    close: Annotated[bool, typer.Option("--close", help="Book it; the month must be over. Once.")] = False,
) -> None:
    """What a partner earned in a month, from the ledger, by end customer."""
    from modelmint.cli.views.channels import statement_view

    session = session_of(ctx)
    books = session.shop.books
    period = _period(session, month)
    channels = books.channels
    found = channels.close_statement(partner, period) if close else channels.statement(partner, period)
    names = {c.id: c.name for c in books.customers()}

    def show(out: Output) -> None:
        for one in found:
            out.table(statement_view(one, names))
        if not found:
            out.say("Nothing was billed to its customers in this month.")

    session.out.answer({"statements": as_json(found)}, show)


def pay_out(
    ctx: typer.Context,
    partner: Annotated[str, typer.Argument(help=_WHO)],
    month: Annotated[str, typer.Option("--month", help="Month of the closed statement, like 2026-11.")],
    amount: Annotated[
        str | None, typer.Option("--amount", help="Like '12.50 USD'; all that is left of it if left out.")
    ] = None,
    reference: Annotated[
        str, typer.Option("--reference", help="What the payment is known by, of a transfer say; no names.")
    ] = "",
) -> None:
    """What a partner earned was paid to it by hand. The same reference again changes nothing."""
    from modelmint.cli.views.channels import statement_view
    from modelmint.kit.money import parse_money

    session = session_of(ctx)
    books = session.shop.books
    wanted = None if amount is None else parse_money(amount)
    found = books.channels.pay_out(partner, _period(session, month), wanted, reference)
    names = {c.id: c.name for c in books.customers()}

    def show(out: Output) -> None:
        for one in found:
            out.table(statement_view(one, names))

    session.out.answer({"statements": as_json(found)}, show)


def add_referral(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="3 to 40 letters, digits, '-' or '_'; case does not matter.")],
    channel: Annotated[str, typer.Option("--channel", help="Where its sign-ups come from, e.g. newsletter.")],
    partner: Annotated[str | None, typer.Option("--partner", help=_WHO)] = None,
) -> None:
    """Give out a referral code: customers added with it belong to its channel (and partner)."""
    session = session_of(ctx)
    made = session.shop.books.channels.add_referral(code, channel, partner)

    def show(out: Output) -> None:
        out.say(f"{made.code} leads to the channel {made.channel}.", style="bold green")
        out.say(f"Use it: {session.hint(f'customers add NAME --code {made.code}')}")

    session.out.answer({"referral": as_json(made)}, show)


def list_referrals(ctx: typer.Context) -> None:
    """All referral codes, withdrawn ones too."""
    from modelmint.cli.views.channels import referrals_view

    session = session_of(ctx)
    channels = session.shop.books.channels
    found = channels.referrals()
    names = {one.id: one.name for one in channels.partners()}
    session.out.answer({"referrals": as_json(found)}, lambda out: out.table(referrals_view(found, names)))


def withdraw(ctx: typer.Context, code: Annotated[str, typer.Argument(help="The code.")]) -> None:
    """Withdraw a code; who came with it stays attributed."""
    session = session_of(ctx)
    gone = session.shop.books.channels.withdraw_referral(code)
    session.out.answer({"referral": as_json(gone)}, lambda out: out.say(f"{gone.code} is withdrawn."))


def report(
    ctx: typer.Context,
    month: Annotated[str | None, typer.Option("--month", help=_MONTH)] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
) -> None:
    """Sign-ups, revenue, cost, commission and margin of each channel, from the ledger."""
    from modelmint.cli.views.channels import channels_view
    from modelmint.commerce.channels.report import csv_text

    session = session_of(ctx)
    period = _period(session, month)
    rows = session.shop.books.channels.report(period)
    payload = {"period": as_json(period), "channels": as_json(rows)}
    if as_csv and not session.options.json:
        session.out.answer(payload, lambda out: out.say(csv_text(rows).rstrip()))
        return
    session.out.answer(payload, lambda out: out.table(channels_view(rows, period)))


def _period(session: Session, month: str | None) -> Period:
    from modelmint.kit.period import month_of, parse_month

    return parse_month(month) if month else month_of(session.shop.books.now())


PARTNERS: dict[str, Callable[..., None]] = {
    "add": add, "list": list_, "customers": customers, "statement": statement,
    "pay-out": pay_out,
}  # fmt: skip
REFERRALS: dict[str, Callable[..., None]] = {"add": add_referral, "list": list_referrals, "withdraw": withdraw}
CHANNELS: dict[str, Callable[..., None]] = {"report": report}
