"""``modelmint bench``: what a release does on this machine, measured now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.session import Session, session_of
from modelmint.cli.types import Column, TableView
from modelmint.cli.verbs.releases import pick

if TYPE_CHECKING:
    from modelmint.cli.output import Output
    from modelmint.releases.bundle import Release


def bench(
    ctx: typer.Context,
    release: Annotated[str | None, typer.Argument(help="Id, its beginning, or a folder; else the newest.")] = None,
    p99_ms: Annotated[float | None, typer.Option("--p99-ms", help="Count only levels within this.")] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.1, help="Length of one level.")] = 1.0,
    record: Annotated[
        bool, typer.Option("--record", help="Sign what was found as this machine's statement; serve then uses it.")
    ] = False,
) -> None:
    """Time a release on every engine here and load-test it through the real server; nothing is billed."""
    from modelmint.cli.remeasure import remeasure, rows_of

    session = session_of(ctx)
    found = pick(session, release)
    result = remeasure(found, session.workspace, p99_ms, seconds, session.out.progress)
    result["recorded"] = _record(session, found, result) if record else None

    def show(out: Output) -> None:
        out.table(TableView("One picture in the engine, interleaved", _TIMING, tuple(rows_of(result)), {}))
        for name, model in result["models"].items():
            out.say()
            out.table(_load_view(name, model))

    session.out.answer(result, show)


def _record(session: Session, release: Release, result: dict[str, Any]) -> str:
    from modelmint.cli.remeasure import statement_body
    from modelmint.kit.clock import SystemClock
    from modelmint.kit.machine import this_machine
    from modelmint.releases import statements
    from modelmint.releases.sign import KEY_FILE

    keyfile = session.workspace / "keys" / KEY_FILE
    body, machine = statement_body(result), this_machine().fingerprint
    return statements.add(release, "cost", body, keyfile, machine, SystemClock()).made_at


_TIMING = (
    Column("model"), Column("variant"), Column("engine"), Column("threads", True), Column("CPU ms", True),
    Column("p50 ms", True), Column("p99 ms", True), Column(""),
)  # fmt: skip


def _load_view(name: str, model: dict[str, Any]) -> TableView:
    load = model["load"]
    rows = tuple(
        (
            f"{point['clients']}", f"{point['calls']:,}", f"{point['calls_per_second']:,.0f}", f"{point['p50_ms']:.2f}",
            f"{point['p99_ms']:.2f}", f"{point['server_cpu_ms']:.3f}", f"{point['errors']}",
        )
        for point in load["points"]
    )  # fmt: skip
    best = load["best"]
    marks = {index: "good" for index, point in enumerate(load["points"]) if point == best}
    columns = tuple(
        Column(head, True)
        for head in ("clients", "calls", "calls/s", "p50 ms", "p99 ms", "server CPU ms a call", "errors")
    )
    title = f"{name} through the real server: {model['engine']}, {load['workers']} processes"
    note = (
        f"Foreign load {load['load']:.2f} cores; the load generator itself took {load['client_cpu_ms']:.3f} ms a call."
    )
    return TableView(title, columns, rows, marks, note)
