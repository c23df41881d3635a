"""``modelmint events``: usage events in from files, calls and events out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import Session, session_of
from modelmint.cli.verbs.usage import period_of

if TYPE_CHECKING:
    from modelmint.commerce.types import Customer

_CUSTOMER = Annotated[str, typer.Option("--customer", help="Whose usage it is: id or exact name.")]
_MONTH = Annotated[str | None, typer.Option("--month", help="The billing period that begins in it; else this one.")]


def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="JSON lines (a CloudEvent each), or CSV with a header.")],
    customer: _CUSTOMER,
) -> None:
    """Record the usage events of a file. The whole file is read and checked before anything is stored.

    It is stored in batches of 10,000; importing it again changes nothing, so an import that was stopped is repeated.
    """
    from modelmint.commerce.metering.bodies import MOST
    from modelmint.commerce.metering.cloudevents import events_from
    from modelmint.sdk.views.figures import count

    session = session_of(ctx)
    books = session.shop.books
    owner, now = books.customer(customer), books.now()
    events_from(_contents(file), now)
    totals = {"accepted": 0, "duplicates": 0, "late": 0}
    events = _contents(file)
    while batch := list(islice(events, MOST)):
        found = books.meters.record(owner.id, "", events_from(batch, now))
        for name in totals:
            totals[name] += getattr(found, name)

    def show(out: Output) -> None:
        known, late = totals["duplicates"], totals["late"]
        were, come = "was" if known == 1 else "were", "comes" if late == 1 else "come"
        out.say(
            f"{count(totals['accepted'], 'event')} recorded for {owner.name}, {known:,} {were} known already, "
            f"{late:,} {come} late onto the next invoice.",
            style="bold green",
        )

    session.out.answer({"customer": owner.id, **totals}, show)


def list_(
    ctx: typer.Context,
    customer: _CUSTOMER,
    month: _MONTH = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
    after: Annotated[str, typer.Option("--after", help="The 'next' of the former page.")] = "",
) -> None:
    """Calls and usage events of a customer as they were booked, a page at a time."""
    from modelmint.cli.views.usage import events_view

    session = session_of(ctx)
    owner = session.shop.books.customer(customer)
    events, more = _page(session, owner, month, after, limit)

    def show(out: Output) -> None:
        out.table(events_view(events))
        if more:
            out.say(f"Next: {session.hint(f'events list --customer {owner.id} --after {more}')}")

    session.out.answer({"events": events, "next": more or None}, show)


def export(
    ctx: typer.Context,
    customer: _CUSTOMER,
    out: Annotated[Path, typer.Option("-o", "--out", help="A file of JSON lines.")],
    month: _MONTH = None,
) -> None:
    """All calls and usage events of a customer in a month as CloudEvents, one on a line."""
    from modelmint.kit.canonical import canonical_json
    from modelmint.kit.table_file import whole_file

    session = session_of(ctx)
    owner = session.shop.books.customer(customer)
    count, after = 0, ""
    with whole_file(out) as temporary, temporary.open("wb") as file:
        while True:
            events, after = _page(session, owner, month, after, 1000)
            file.writelines(canonical_json(event) + b"\n" for event in events)
            count += len(events)
            if not after:
                break
    payload = {"file": str(out), "events": count}
    session.out.answer(payload, lambda shown: shown.say(f"{count:,} calls and events in {out}", style="bold green"))


def _page(
    session: Session, customer: Customer, month: str | None, after: str, limit: int
) -> tuple[list[dict[str, Any]], str]:
    from modelmint.commerce.metering.cloudevents import present, present_call

    shop = session.shop
    page = shop.books.meters.log(customer.id, period_of(session, customer, month), after, limit)
    calls = [present_call(outcome, shop.name) for outcome in page.calls]
    return [*calls, *(present(event) for event in page.events)], page.next


def _contents(file: Path) -> Iterator[Any]:
    """What each line or row holds, read as it is wanted."""
    import csv

    from modelmint.cli.errors import BadUsage
    from modelmint.commerce.metering.bodies import event_from_row, rows_of

    if file.suffix.lower() not in (".csv", ".jsonl", ".ndjson"):
        raise BadUsage(f"expected a file called *.jsonl or *.csv, found {file.name}")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            if file.suffix.lower() == ".csv":
                yield from map(event_from_row, csv.DictReader(lines))
            else:
                yield from rows_of(lines)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadUsage(f"{file} cannot be read: {error}") from error


VERBS: dict[str, Callable[..., None]] = {"import": import_, "list": list_, "export": export}
