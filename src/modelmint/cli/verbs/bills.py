"""``modelmint invoices``: what becomes of a finalised invoice: paid, void, given up, corrected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from modelmint.cli.session import Session, session_of
from modelmint.cli.views.plain import as_json

if TYPE_CHECKING:
    from modelmint.commerce.billing.types import InvoiceStatus

_Invoice = Annotated[str, typer.Argument(help="Id or number.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; kept with the invoice.")]


def pay(
    ctx: typer.Context,
    invoice: _Invoice,
    reference: Annotated[
        str, typer.Option("--reference", help="What the payment is known by, of a transfer say.")
    ] = "",
) -> None:
    """All that is owed came in by hand. The same reference again changes nothing."""
    session = session_of(ctx)
    _say(session, session.shop.books.bills.pay(invoice, reference))


def void(ctx: typer.Context, invoice: _Invoice, reason: _Reason) -> None:
    """It never counted: what it booked is reversed, its credit is there again. Paid ones take a credit note."""
    session = session_of(ctx)
    _say(session, session.shop.books.bills.void(invoice, reason))


def give_up(ctx: typer.Context, invoice: _Invoice, reason: _Reason) -> None:
    """Nobody is asked for it any more; it may still be paid."""
    session = session_of(ctx)
    _say(session, session.shop.books.bills.uncollectible(invoice, reason))


def credit_note(
    ctx: typer.Context,
    invoice: _Invoice,
    reason: _Reason,
    line: Annotated[
        list[int] | None, typer.Option("--line", help="Position of a line, 1 for the first; repeat it.")
    ] = None,
    amount: Annotated[str | None, typer.Option("--amount", help='Before tax, like "5 USD".')] = None,
) -> None:
    """Take back lines, an amount before tax, or (without both) all that is left, with its tax.

    What is unpaid is owed no longer; the rest becomes prepaid credit.
    """
    from modelmint.cli.views.selling import invoices_view
    from modelmint.kit.money import parse_money

    session = session_of(ctx)
    wanted = None if amount is None else parse_money(amount)
    note = session.shop.books.bills.credit_note(invoice, reason, lines=line or (), amount=wanted)
    session.out.answer({"credit_note": as_json(note)}, lambda out: out.table(invoices_view([note])))


def _say(session: Session, status: InvoiceStatus) -> None:
    owed = session.shop.books.bills.owed(status.invoice)
    payload = {
        "invoice": status.invoice,
        "status": status.status,
        "owed": as_json(owed),
        "history": as_json(status.history),
    }
    session.out.answer(payload, lambda out: out.say(f"Invoice {status.invoice} is {status.status}; {owed} is owed."))


VERBS: dict[str, Callable[..., None]] = {
    "pay": pay,
    "void": void,
    "give-up": give_up,
    "credit-note": credit_note,
}
