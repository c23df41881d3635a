"""``modelmint build``: from the venture file to a judged, compressed, priced release."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modelmint.cli.errors import BadUsage
from modelmint.cli.session import session_of
from modelmint.kit.canonical import plain
from modelmint.kit.clock import SystemClock
from modelmint.kit.errors import MissingExtra
from modelmint.kit.registry import nearest

if TYPE_CHECKING:
    from modelmint.kit.progress import Progress
    from modelmint.venture.load import LoadedVenture


#: As in ``[gates.waive]`` of the venture file.
SHORTEST_REASON = 8


def build(
    ctx: typer.Context,
    waive: Annotated[
        list[str] | None, typer.Option("--waive", help='Let a gate fail: --waive p99_ms="reason"; kept in the release.')
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Repeat every step, though nothing changed.")] = False,
) -> None:
    """Prepare, train, compress, judge, price, release. Repeats only what changed; goes on where it was stopped."""
    from modelmint.cli.views.reports import say_build

    session = session_of(ctx)
    waivers = parse_waivers(waive or [])
    venture = session.venture
    check_waivers(waivers, list(venture.file.gates.bounds()))
    need_workshop("modelmint build")
    report = build_venture(venture, session.found_workspace(), session.out.progress, waive=waivers, fresh=fresh)
    following = [session.hint("deploy"), session.hint("serve")]
    session.out.answer(report, lambda out: say_build(out, report, following))


def need_workshop(verb: str) -> None:
    """Raises ``MissingExtra`` where torch is not installed; does not import it."""
    if find_spec("torch") is None:
        raise MissingExtra("workshop", verb)


def parse_waivers(words: list[str]) -> dict[str, str]:
    """``gate=reason`` words as a mapping; raises ``BadUsage`` naming every word that is not one."""
    found: dict[str, str] = {}
    problems = []
    for word in words:
        gate, mark, reason = word.partition("=")
        if not mark or not gate.strip() or not reason.strip():
            problems.append(f'{word!r} is not GATE="reason"')
        else:
            found[gate.strip()] = reason.strip()
    if problems:
        raise BadUsage('--waive takes a gate and the reason why it may fail: --waive p99_ms="..."', problems=problems)
    return found


def check_waivers(waivers: Mapping[str, str], gates: list[str]) -> None:
    """Refuse a waiver for a gate that is not set, or with a reason that says nothing."""
    problems = []
    for gate, reason in waivers.items():
        if gate not in gates:
            close = nearest(gate, gates)
            hint = f"; did you mean {close!r}?" if close else ""
            problems.append(f"{gate}: no such gate in [gates], which sets {', '.join(gates) or 'none'}{hint}")
        if len(reason) < SHORTEST_REASON:
            problems.append(f"{gate}: a reason has at least {SHORTEST_REASON} characters, found {reason!r}")
    if problems:
        raise BadUsage("these gates cannot be waived so", problems=problems)


def build_venture(
    venture: LoadedVenture,
    workspace: Path,
    progress: Progress,
    *,
    waive: Mapping[str, str] | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """The workshop's build, handed the function that starts the real server; the ``build --json`` object."""
    from modelmint.api.candidate import measure_candidate
    from modelmint.workshop.pipeline import build as workshop_build

    report = workshop_build(
        venture, workspace, progress, measure_candidate, SystemClock(), waive=waive or {}, fresh=fresh
    )
    found: dict[str, Any] = plain(report.to_json())
    return found
