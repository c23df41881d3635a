"""``modelmint ledger``: every movement of money, its proof, its export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def list_(ctx: typer.Context) -> None:
    """All entries, oldest first, and the balance of each account; the legs of each transaction sum to zero."""
    from modelmint.cli.views.selling import balances_view, ledger_view

    session = session_of(ctx)
    journal = session.shop.books.journal
    entries = list(journal.entries())
    found = journal.balances()

    def show(out: Output) -> None:
        out.table(ledger_view(entries))
        if found:
            out.table(balances_view(found))

    held = [{"account": account, "balance": as_json(balance)} for (account, _), balance in found.items()]
    session.out.answer({"entries": as_json(entries), "balances": held}, show)


def verify(
    ctx: typer.Context,
    deep: Annotated[bool, typer.Option("--deep", help="Add up every call and event again too.")] = False,
    head: Annotated[str | None, typer.Option("--head", help="A hash that 'ledger head' printed earlier.")] = None,
) -> None:
    """Whether the books are whole; names the first broken row and ends with 9 where they are not."""
    from modelmint.cli.views.proof import show_verdict
    from modelmint.commerce.ledger.errors import LedgerBroken

    session = session_of(ctx)
    verdict = session.shop.books.journal.verify(raw=deep, noted=head)
    if verdict.findings:
        raise LedgerBroken(
            "the books are not what was booked; first broken row of each kind:",
            problems=[f"{found.table} {found.row}: {found.problem}" for found in verdict.findings],
            details={"verdict": as_json(verdict)},
        )
    session.out.answer({"sound": True, **as_json(verdict)}, lambda out: show_verdict(out, verdict, raw=deep))


def head(ctx: typer.Context) -> None:
    """Place and hash of the last entry. Noted elsewhere, it shows later that nothing was cut off."""
    session = session_of(ctx)
    seq, found = session.shop.books.journal.head()
    session.out.answer({"seq": seq, "head": found}, lambda out: out.say(f"{seq} {found or '(empty)'}"))


def export(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")],
    form: Annotated[str, typer.Option("--format", help="csv, jsonl or parquet.")] = "csv",
    start: Annotated[str | None, typer.Option("--from", help="First month, like 2026-11 (UTC).")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Last month; the same as --from if left out.")] = None,
    invoice: Annotated[
        str | None, typer.Option("--invoice", help="Only what replay needs of one invoice (id or number).")
    ] = None,
) -> None:
    """Write the ledger to a file: a table, or (--invoice) the segment that 'invoices replay --segment' reads.

    A segment has its plan version beside it, in FILE.plan.json.
    """
    from modelmint.cli.errors import BadUsage
    from modelmint.commerce.documents.plan_json import to_json
    from modelmint.commerce.ledger.segment import to_lines
    from modelmint.commerce.ledger.tables import ENTRIES, entry_rows
    from modelmint.kit.canonical import canonical_json
    from modelmint.kit.files import write_atomic
    from modelmint.kit.period import Period, parse_month
    from modelmint.kit.table_file import write_table

    session = session_of(ctx)
    journal = session.shop.books.journal
    if invoice is not None:
        segment = journal.segment(invoice)
        plan = session.shop.books.plan(segment.plan, segment.plan_version)
        write_atomic(output, "".join(to_lines(segment)), 0o600)
        write_atomic(plan_beside(output), canonical_json(to_json(plan)), 0o600)
        count = len(segment.entries)
    else:
        if end is not None and start is None:
            raise BadUsage("--to needs --from")
        span = None if start is None else Period(parse_month(start).start, parse_month(end or start).end)
        count = write_table(output, form, ENTRIES, entry_rows(journal.entries(span)))
    session.out.answer({"file": str(output), "rows": count}, lambda out: out.say(f"{count:,} entries in {output}"))


def plan_beside(segment: Path) -> Path:
    """Where the plan version of a segment lies."""
    return segment.with_name(segment.name + ".plan.json")


VERBS: dict[str, Callable[..., None]] = {"list": list_, "verify": verify, "head": head, "export": export}
