"""``modelmint invoices``: close a period, look at what it billed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of
from modelmint.cli.views.plain import as_json

if TYPE_CHECKING:
    from modelmint.commerce.billing.types import Invoice
    from modelmint.commerce.errors import EarlierPeriodOpen
    from modelmint.commerce.types import Customer
    from modelmint.kit.period import Period

_MONTH = "A month like 2026-11 (UTC); the month before this one if left out."


def close(
    ctx: typer.Context,
    customer: Annotated[str | None, typer.Argument(help="Id or exact name; all customers when left out.")] = None,
    month: Annotated[str | None, typer.Option("--month", help=_MONTH)] = None,
    until_now: Annotated[
        bool, typer.Option("--until-now", help="Close this month so far; the next closing goes on there.")
    ] = False,
    due: Annotated[
        bool,
        typer.Option(
            "--due", help="All customers, every period that has ended and is open; nothing else goes with it."
        ),
    ] = False,
) -> None:
    """Rate a period and finalise its invoices. Closing it again returns the same invoices.

    A customer's billing period belongs to the month in which it begins. Without a customer, one whose earlier month
    is still open holds up nobody else; it is named at the end.
    """
    from modelmint.cli.views.selling import invoices_view
    from modelmint.kit.period import month_of, parse_month

    session = session_of(ctx)
    books = session.shop.books
    if due:
        _close_due(session, alone=not (customer or month or until_now))
        return
    this_month = month_of(books.now())
    before = month_of(this_month.start - timedelta(days=1))
    period = parse_month(month) if month else this_month if until_now else before
    customers = [books.customer(customer)] if customer else books.customers()
    made, waiting = _close_each(session, customers, period, until_now=until_now)
    if customer and waiting:
        raise waiting[0][1]

    def show(out: Output) -> None:
        if not made:
            out.say("Nothing to bill in this period.")
            return
        out.table(invoices_view(made))
        out.say(f"See one: {session.hint(f'invoices show {made[0].number}')}")

    payload = {"period": as_json(period), "invoices": as_json(made)}
    if waiting:
        if made and not session.options.json:
            show(session.out)
        raise _some_wait(waiting, len(customers), payload)
    session.out.answer(payload, show)


def _close_each(
    session: Session, customers: Sequence[Customer], month: Period, *, until_now: bool
) -> tuple[list[Invoice], list[tuple[Customer, EarlierPeriodOpen]]]:
    """What was made, and who has an earlier period open; the others are billed all the same."""
    from modelmint.commerce.errors import EarlierPeriodOpen
    from modelmint.operations.billing import close_month

    shop = session.shop
    made: list[Invoice] = []
    waiting: list[tuple[Customer, EarlierPeriodOpen]] = []
    for one in customers:
        try:
            made += close_month(shop.books, shop.shelf, one, month, shop.notice, until_now=until_now)
        except EarlierPeriodOpen as error:
            waiting.append((one, error))
    return made, waiting


def _close_due(session: Session, *, alone: bool) -> None:
    from modelmint.cli.errors import BadUsage
    from modelmint.cli.views.selling import invoices_view
    from modelmint.commerce.billing.errors import ClosingsCorrupted, ClosingsFailed
    from modelmint.operations.billing import close_due

    if not alone:
        raise BadUsage("--due closes everything that has ended; leave out the customer, --month and --until-now")
    shop = session.shop
    found = close_due(shop.books, shop.shelf, shop.notice)
    payload = {"invoices": as_json(found.invoices), "failed": as_json(found.failed)}
    if not found.failed:
        session.out.answer(payload, lambda out: out.table(invoices_view(found.invoices)))
        return
    if found.invoices and not session.options.json:
        session.out.table(invoices_view(found.invoices))
    kind = ClosingsCorrupted if any(failure.corrupted for failure in found.failed) else ClosingsFailed
    raise kind(
        f"{len(found.failed)} customers could not be billed; all others are. Mend what is named and close again",
        problems=[f"{failure.customer}: {failure.code}: {failure.message}" for failure in found.failed],
        details=payload,
    )


def _some_wait(
    waiting: Sequence[tuple[Customer, EarlierPeriodOpen]], customers: int, payload: Mapping[str, Any]
) -> EarlierPeriodOpen:
    """One refusal for all customers that were not closed; what was made stands in its details."""
    from modelmint.commerce.errors import EarlierPeriodOpen

    return EarlierPeriodOpen(
        f"{customers - len(waiting)} of {customers} customers are closed for this period; "
        "the others have an earlier one to close first",
        problems=[f"{one.name} ({one.id}): {error.message}" for one, error in waiting],
        details={**payload, "open": {one.id: error.details["open"] for one, error in waiting}},
    )


def draft(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id or exact name.")],
    language: Annotated[str, typer.Option("--language", help="en or zh.")] = "en",
) -> None:
    """What closing this month now would bill; nothing is stored."""
    from modelmint.commerce.documents.invoice_text import render
    from modelmint.kit.period import billing_period

    session = session_of(ctx)
    shop = session.shop
    owner = shop.books.customer(customer)
    found = shop.books.draft_period(owner.id, billing_period(shop.books.now(), owner.anchor), shop.notice)
    texts = [render(one, language) for one in found]

    def show(out: Output) -> None:
        out.say("\n".join(texts) if texts else "Nothing to bill so far this month.")

    session.out.answer({"invoices": as_json(found), "texts": texts}, show)


def list_(
    ctx: typer.Context,
    customer: Annotated[str | None, typer.Argument(help="Id or exact name; all customers when left out.")] = None,
) -> None:
    """Finalised invoices and credit notes, oldest first, each with where it stands."""
    from modelmint.cli.views.selling import invoices_view

    session = session_of(ctx)
    books = session.shop.books
    owner = books.customer(customer).id if customer else None
    invoices, statuses = books.invoices(owner), books.bills.statuses(owner)
    payload = {"invoices": [{**as_json(one), "status": statuses[one.id]} for one in invoices]}
    session.out.answer(payload, lambda out: out.table(invoices_view(invoices, statuses)))


VERBS: dict[str, Callable[..., None]] = {"close": close, "draft": draft, "list": list_}
