"""``modelmint plans change | preview | pause | resume | cancel | undo``: what a customer holds, now and later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import typer

from modelmint.cli.errors import BadUsage
from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of
from modelmint.cli.views.plain import as_json
from modelmint.commerce.types import Subscription

_WHO = Annotated[str, typer.Argument(help="Id or exact name of the customer.")]
_PLAN = Annotated[str, typer.Argument(help="Name of the plan, as in: plans list.")]
_AT = Annotated[str, typer.Option("--at", help="now, period-end, or a time to come: 2027-01-01 (midnight UTC).")]


def change(ctx: typer.Context, customer: _WHO, plan: _PLAN, at: _AT = "now") -> None:
    """Put a customer on another plan; what was planned after that moment is undone."""
    session = session_of(ctx)
    held = session.shop.books.contracts.change(customer, plan, when(at))
    _answer(session, customer, held, f"holds {held.plan}")


def preview(
    ctx: typer.Context,
    customer: _WHO,
    plan: Annotated[str | None, typer.Argument(help="Name of the plan; a cancellation where it is left out.")] = None,
    at: _AT = "now",
) -> None:
    """What a change would do to the next invoices. Nothing is stored."""
    from modelmint.cli.views.holding import preview_view

    session = session_of(ctx)
    found = session.shop.books.contracts.preview(customer, plan, when(at), session.shop.notice)
    session.out.answer({"preview": as_json(found)}, lambda out: out.table(preview_view(found)))


def pause(ctx: typer.Context, customer: _WHO, at: _AT = "now") -> None:
    """No fee and no call until the plan is resumed."""
    session = session_of(ctx)
    held = session.shop.books.contracts.pause(customer, when(at))
    _answer(session, customer, held, f"pauses {held.plan}")


def resume(ctx: typer.Context, customer: _WHO, at: _AT = "now") -> None:
    """Go on with a paused plan."""
    session = session_of(ctx)
    held = session.shop.books.contracts.resume(customer, when(at))
    _answer(session, customer, held, f"goes on with {held.plan}")


def cancel(ctx: typer.Context, customer: _WHO, at: _AT = "now") -> None:
    """End the plan; what was used is billed when the period is closed."""
    session = session_of(ctx)
    held = session.shop.books.contracts.cancel(customer, when(at))
    _answer(session, customer, held, f"gives up {held.plan}")


def undo(ctx: typer.Context, customer: _WHO) -> None:
    """Undo all that is planned: what the customer holds now goes on."""
    session = session_of(ctx)
    held = session.shop.books.contracts.unschedule(customer)
    _answer(session, customer, held, "holds nothing" if held is None else f"holds {held.plan} for good")


def when(text: str) -> str | datetime:
    """What ``--at`` means; raises ``BadUsage``."""
    from modelmint.kit.period import BadPeriod, parse_moment

    if text in ("now", "period-end"):
        return text.replace("-", "_")
    try:
        return parse_moment(text)
    except BadPeriod as error:
        raise BadUsage(f"--at takes now, period-end or a time: {error.message}") from error


def _answer(session: Session, customer: str, held: Subscription | None, said: str) -> None:
    """What stands now, and what is planned."""
    from modelmint.cli.views.holding import scheduled_view

    books = session.shop.books
    holder = books.customer(customer)
    planned = books.contracts.scheduled(holder.id)

    def show(out: Output) -> None:
        until = "" if held is None or held.ends_at is None else f" until {held.ends_at:%Y-%m-%d %H:%M} UTC"
        since = "" if held is None else f" from {held.starts_at:%Y-%m-%d %H:%M} UTC"
        out.say(f"{holder.name} {said}{since}{until}.")
        if planned:
            out.table(scheduled_view(planned))

    session.out.answer({"subscription": as_json(held), "scheduled": as_json(planned)}, show)


VERBS: dict[str, Callable[..., None]] = {
    "change": change,
    "preview": preview,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
    "undo": undo,
}
