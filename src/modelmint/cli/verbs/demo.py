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
    solution: Annotated[str, typer.Argument(help="Which venture: digits needs no data of yours.")] = "digits",
    out: Annotated[Path, typer.Option("--out", help="Folder to work in; it is kept.")] = Path("modelmint-demo"),
    calls: Annotated[int, typer.Option("--calls", min=1, max=100_000, help="Paid calls to send.")] = 200,
) -> None:
    """Build a real model, serve it, sell 200 calls over HTTP, print the invoice; a few minutes on two cores."""
    from modelmint.sdk.building import build_venture, need_workshop

    if solution != "digits":
        raise BadUsage(f"the demo is made for: digits; found {solution!r}")
    need_workshop("modelmint demo")
    from modelmint.cli.demo.run import run_demo
    from modelmint.cli.views.demo import say_demo

    session = session_of(ctx)

    def build(venture: LoadedVenture, folder: Path) -> dict[str, Any]:
        return build_venture(venture, folder / ".modelmint", session.out.progress)

    folder = (session.root / out).resolve()
    report = run_demo(folder, solution, calls, build, session.out.progress).to_json()
    session.out.answer(report, lambda shown: say_demo(shown, report))
