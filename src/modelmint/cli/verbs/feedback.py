"""``modelmint feedback``: what customers say of predictions, and the inputs that they agreed to have kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json

_CUSTOMER = Annotated[
    str | None, typer.Option("--customer", help="Whose: id or exact name; everybody's when left out.")
]


def list_(
    ctx: typer.Context,
    customer: _CUSTOMER = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 50,
    before: Annotated[int | None, typer.Option("--before", help="The 'next' of the former page.")] = None,
) -> None:
    """What was said, newest first; a correction is a row of its own and the newest of a prediction counts."""
    from modelmint.cli.views.feedback import feedback_view

    session = session_of(ctx)
    shop = session.shop
    page = shop.feedback.page(_id(shop.books, customer), before=before, limit=limit)
    names = {one.id: one.name for one in shop.books.customers()}

    def show(out: Output) -> None:
        out.table(feedback_view(page.rows, names))
        if page.next:
            out.say(f"Next: {session.hint(f'feedback list --before {page.next}')}")

    session.out.answer({"feedback": as_json(page.rows), "next": page.next}, show)


def summary(ctx: typer.Context, customer: _CUSTOMER = None) -> None:
    """The share of truths that equal the answer, with interval and n: overall, by release, by label."""
    from modelmint.cli.views.feedback import summary_note, summary_view
    from modelmint.monitoring.feedback.agreement import summary as sum_up

    session = session_of(ctx)
    found = sum_up(session.shop.feedback, _id(session.shop.books, customer))

    def show(out: Output) -> None:
        out.table(summary_view(found))
        out.say(summary_note(found))

    session.out.answer({"summary": as_json(found)}, show)


def export(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="A .csv, .jsonl or .parquet file.")] = None,
    with_inputs: Annotated[
        Path | None,
        typer.Option("--with-inputs", help="A folder for the stored inputs, one folder for each truth."),
    ] = None,
    customer: _CUSTOMER = None,
) -> None:
    """All feedback as a table; with ``--with-inputs`` what was sent, as a dataset that the next build can read."""
    from modelmint.cli.errors import BadUsage
    from modelmint.kit.table_file import write_table

    if out is None and with_inputs is None:
        raise BadUsage("say what to write: --out feedback.csv, --with-inputs FOLDER, or both")
    session = session_of(ctx)
    shop = session.shop
    payload: dict[str, Any] = {}
    if out is not None:
        form = out.suffix.lower().lstrip(".")
        rows = _rows(shop.feedback.all(_id(shop.books, customer)))
        payload |= {"file": str(out), "rows": write_table(out, form, _columns(), rows)}
    if with_inputs is not None:
        payload |= {"folder": str(with_inputs), "inputs": _write_inputs(ctx, with_inputs)}

    def show(shown: Output) -> None:
        if out is not None:
            shown.say(f"{payload['rows']:,} rows in {out}", style="bold green")
        if with_inputs is not None:
            shown.say(f"{sum(payload['inputs'].values()):,} inputs in {with_inputs}", style="bold green")
            for truth, count in sorted(payload["inputs"].items()):
                shown.say(f"  {truth}  {count:,}")
            shown.say("They are no longer sealed there. Delete them when they have served.")

    session.out.answer(payload, show)


def _write_inputs(ctx: typer.Context, folder: Path) -> dict[str, int]:
    """Truth -> how many; noted in the audit log, since it opens what was sealed."""
    from modelmint.cli.errors import FileInTheWay
    from modelmint.commerce.people.actor import FOUNDER, acting
    from modelmint.operations.feedback import export_inputs

    if folder.exists() and any(folder.iterdir()):
        raise FileInTheWay(f"expected an empty folder for the inputs, found files in {folder}")
    shop = session_of(ctx).shop
    found: dict[str, int] = {}
    for truth, _ in export_inputs(shop.feedback, shop.inputs, folder):
        found[truth] = found.get(truth, 0) + 1
    with acting(FOUNDER):
        shop.books.people.note("inputs.exported", "inputs", {"inputs": str(sum(found.values()))})
    return found


def inputs(ctx: typer.Context) -> None:
    """What is stored of what customers sent: how much, of whom, since when. Nothing is opened."""
    from modelmint.cli.views.feedback import inputs_view

    session = session_of(ctx)
    shop = session.shop
    kept = list(shop.inputs.all())
    names = {one.id: one.name for one in shop.books.customers()}
    agreed = shop.books.people.consenting()
    said = shop.privacy
    payload = {
        "store_inputs": said.store_inputs,
        "keep_days": said.keep_days,
        "inputs": len(kept),
        "bytes": sum(one.size for one in kept),
        "consenting": sorted(agreed),
        "keys": shop.inputs.vault.ids(),
    }
    session.out.answer(payload, lambda out: out.table(inputs_view(kept, names, agreed, said.store_inputs)))


def rotate_key(ctx: typer.Context) -> None:
    """A new key seals inputs from now on; older ones go on opening what they sealed."""
    session = session_of(ctx)
    name = session.shop.inputs.vault.rotate()
    session.out.answer({"key": name}, lambda out: out.say(f"Inputs are sealed with key {name} from now on."))


def consent(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id or exact name.")],
    inputs: Annotated[
        bool, typer.Option("--inputs/--no-inputs", help="Whether the customer agrees that its inputs are kept.")
    ],
) -> None:
    """Write down that a customer agreed, in writing say, or took it back; then what was kept of it is deleted."""
    from modelmint.commerce.people.actor import FOUNDER, acting
    from modelmint.operations.keep_inputs import withdraw

    session = session_of(ctx)
    shop = session.shop
    found, deleted = shop.books.customer(customer), 0
    with acting(FOUNDER):
        if inputs:
            shop.books.people.set_consent(found.id, True)
        else:
            deleted = withdraw(shop.books, shop.inputs, found.id)

    def show(out: Output) -> None:
        out.say(f"{found.name}: inputs {'may be kept' if inputs else 'are not kept'}.", style="bold green")
        if inputs and not shop.privacy.store_inputs:
            out.say("None are kept yet: the venture does not say so ([privacy] store_inputs = true).")
        if deleted:
            out.say(f"Stored inputs deleted: {deleted}.")

    session.out.answer({"customer": found.id, "inputs": inputs, "deleted": deleted}, show)


def _id(books: Any, customer: str | None) -> str | None:
    return None if customer is None else books.customer(customer).id


_NAMES = (
    "at", "prediction", "customer", "model", "release", "variant", "answer", "probability", "abstained", "truth",
    "thumbs", "comment", "newest", "id",
)  # fmt: skip


def _columns() -> list[Any]:
    from modelmint.kit.table_file import Column

    return [Column(name, "time" if name == "at" else "text") for name in _NAMES]


def _rows(found: Iterator[Any]) -> Iterator[Sequence[Any]]:
    for row in found:
        values = [getattr(row, name) for name in _NAMES]
        yield [
            value if name == "at" or value is None else str(value) for name, value in zip(_NAMES, values, strict=True)
        ]


VERBS: dict[str, Callable[..., None]] = {
    "list": list_,
    "summary": summary,
    "export": export,
    "inputs": inputs,
    "rotate-key": rotate_key,
}
CUSTOMERS: dict[str, Callable[..., None]] = {"consent": consent}
