"""``modelmint invoices``: read one, write many to a file, make one again from the ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json

if TYPE_CHECKING:
    from modelmint.commerce.documents.types import Paper


def show(
    ctx: typer.Context,
    invoice: Annotated[str, typer.Argument(help="Id or number.")],
    language: Annotated[str, typer.Option("--language", help="en or zh.")] = "en",
    form: Annotated[str, typer.Option("--format", help="text, html, pdf or json.")] = "text",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; needed for pdf.")] = None,
) -> None:
    """One invoice, line by line, each line with its arithmetic: on the screen, or as a page or PDF to send."""
    from modelmint.cli.errors import BadUsage
    from modelmint.commerce.documents.invoice_text import paper_text
    from modelmint.kit.files import write_atomic
    from modelmint.operations.papers import paper

    session = session_of(ctx)
    if form not in _FORMS:
        raise BadUsage(f"expected --format {', '.join(_FORMS)}, found {form!r}")
    if form == "pdf" and output is None:
        raise BadUsage("a PDF goes into a file: add -o FILE")
    shop = session.shop
    found = shop.books.invoice(invoice)
    told = paper(shop.books, found, shop.seller)
    text = paper_text(told, language)
    content = _content(told, form, language)
    payload = {"invoice": as_json(found), "status": told.status, "text": text}
    if output is not None:
        write_atomic(output, content, 0o600)
        session.out.answer({**payload, "file": str(output)}, lambda out: out.say(f"Invoice {found.number} in {output}"))
        return
    session.out.answer(payload, lambda out: out.say(content.decode().rstrip("\n")))


_FORMS = ("text", "html", "pdf", "json")


def _content(told: Paper, form: str, language: str) -> bytes:
    from modelmint.commerce.documents.invoice_html import paper_html
    from modelmint.commerce.documents.invoice_json import to_json
    from modelmint.commerce.documents.invoice_pdf import paper_pdf
    from modelmint.commerce.documents.invoice_text import paper_text
    from modelmint.kit.canonical import pretty_json

    if form == "pdf":
        return paper_pdf(told, language)
    if form == "json":
        return pretty_json(to_json(told.invoice)).encode()
    return (paper_html if form == "html" else paper_text)(told, language).encode()


def export(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    customer: Annotated[str | None, typer.Argument(help="Id or exact name; all customers when left out.")] = None,
    form: Annotated[str, typer.Option("--format", help="csv, jsonl or parquet.")] = "csv",
) -> None:
    """Write invoices and credit notes to a file, one a row, by number."""
    from modelmint.commerce.ledger.tables import INVOICES, invoice_rows
    from modelmint.kit.table_file import write_table

    session = session_of(ctx)
    books = session.shop.books
    found = books.invoices(books.customer(customer).id if customer else None)
    count = write_table(output, form, INVOICES, invoice_rows(found))
    session.out.answer({"file": str(output), "rows": count}, lambda out: out.say(f"{count:,} invoices in {output}"))


def replay(
    ctx: typer.Context,
    invoice: Annotated[str | None, typer.Argument(help="Id or number.")] = None,
    segment: Annotated[
        Path | None, typer.Option("--segment", help="What 'ledger export --invoice' wrote; no books are opened.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="The plan version as JSON; SEGMENT.plan.json if left out.")
    ] = None,
    release: Annotated[
        list[str] | None, typer.Option("--release", help="Release that served; those of the segment if left out.")
    ] = None,
) -> None:
    """Make an invoice again in a fresh process from its ledger segment, plan version and releases; compare bytes.

    Ends with 9 where anything differs.
    """
    from modelmint.cli.errors import BadUsage
    from modelmint.cli.verbs.ledger import plan_beside
    from modelmint.cli.views.proof import show_replayed
    from modelmint.commerce.ledger.errors import ReplayDiffers
    from modelmint.operations.replay import replay_files, replay_invoice

    session = session_of(ctx)
    if (invoice is None) == (segment is None):
        raise BadUsage("say which invoice (id or number), or give --segment FILE that 'ledger export --invoice' wrote")
    if segment is not None:
        found = replay_files(segment, plan or plan_beside(segment), release)
    else:
        found = replay_invoice(session.shop.books, str(invoice))
    if not found.same:
        booked, made = found.difference or (found.booked, found.digest)
        raise ReplayDiffers(
            f"invoice {found.number} comes out as sha256 {found.digest or '(nothing)'}, booked was {found.booked}",
            problems=[*found.problems, f"first difference: booked {booked!r}, comes out {made!r}"],
            details={"replay": as_json(found)},
        )

    def show(out: Output) -> None:
        show_replayed(out, found)

    session.out.answer({"same": found.same, **as_json(found)}, show)


VERBS: dict[str, Callable[..., None]] = {"show": show, "export": export, "replay": replay}
