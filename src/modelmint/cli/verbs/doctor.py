"""``modelmint doctor``: machine, extras and file looked at before a long run."""

from __future__ import annotations

from typing import Annotated

import typer

from modelmint.cli.exits import OK, exit_code
from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.types import Check
from modelmint.kit.errors import InvalidInput, Unavailable


def doctor(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address that serve would use.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port that serve would use.")] = 8000,
) -> None:
    """Check machine, Python, extras, venture file, data, workspace and port; each row says what to do."""
    from modelmint.cli.doctor.machine import check_machine
    from modelmint.cli.doctor.software import check_software
    from modelmint.cli.doctor.venture import check_venture
    from modelmint.cli.doctor.workspace import check_workspace
    from modelmint.cli.views.checks import checks_json, checks_view

    session = session_of(ctx)
    checks: list[Check] = []
    for part in (
        check_machine(session.root),
        check_software(),
        check_venture(session.root),
        check_workspace(session.root, host, port),
    ):
        checks.extend(part)
    code = _code(checks)

    def show(out: Output) -> None:
        out.table(checks_view(checks))
        bad = sum(check.state == "bad" for check in checks)
        warned = sum(check.state == "warn" for check in checks)
        if bad:
            out.say(f"{bad} to mend before a build, {warned} to know about.", style="bold red")
        else:
            out.say(f"Ready. {warned} to know about." if warned else "Ready.", style="bold green")

    session.out.answer(checks_json(checks, code), show)
    if code != OK:
        raise typer.Exit(code)


def _code(checks: list[Check]) -> int:
    """2 where the founder's file or data is bad, 8 where the machine or an installation is, else 0."""
    bad = {check.group for check in checks if check.state == "bad"}
    if bad & {"venture", "data"}:
        return exit_code(InvalidInput)
    return exit_code(Unavailable) if bad else OK
