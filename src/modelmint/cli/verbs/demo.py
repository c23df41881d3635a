"""``modelmint demo``: everything once, for real, in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.errors import BadUsage
from modelmint.cli.session import session_of

if TYPE_CHECKING:
    from modelmint.venture.load import LoadedVenture


def demo(
    ctx: typer.Context,
    solution: Annotated[str, typer.Argument(help="digits needs no data; chest-xray fetches 4 MB.")] = "digits",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to work in; it is kept. modelmint-demo if left out.")
    ] = None,
    calls: Annotated[int, typer.Option("--calls", min=1, max=100_000, help="Paid calls to send.")] = 200,
    data: Annotated[
        Path | None, typer.Option("--data", help="The official pneumoniamnist.npz, where it is here already.")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option("--epochs", min=1, max=1000, help="Train this long: fewer are quicker, and gates may fail."),
    ] = None,
) -> None:
    """Build a real model, serve it, sell 200 calls over HTTP, print the invoice; a few minutes on two cores."""
    from modelmint.cli.demo.start import DEMOS, Start
    from modelmint.sdk.building import build_venture, need_workshop

    if solution not in DEMOS:
        raise BadUsage(f"the demo is made for: {', '.join(DEMOS)}; found {solution!r}")
    if data is not None and DEMOS[solution] is None:
        raise BadUsage(f"the {solution} demo needs no data of yours; --data goes with chest-xray")
    need_workshop("modelmint demo")
    from modelmint.cli.demo.run import run_demo
    from modelmint.cli.views.demo import say_demo

    session = session_of(ctx)

    def build(venture: LoadedVenture, folder: Path) -> dict[str, Any]:
        return build_venture(venture, folder / ".modelmint", session.out.progress)

    name = "modelmint-demo" if solution == "digits" else f"modelmint-demo-{solution}"
    folder = (session.root / (out or name)).resolve()
    start = Start(solution, data, epochs)
    report = run_demo(folder, start, calls, build, session.out.progress).to_json()
    session.out.answer(report, lambda shown: say_demo(shown, report))
