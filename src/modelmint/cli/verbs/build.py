"""``modelmint build``: from the venture file to a judged, compressed, priced release."""

from __future__ import annotations

from typing import Annotated

import typer

from modelmint.cli.errors import BadUsage
from modelmint.cli.session import session_of


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
    report = session.opened.build(waive=waivers, fresh=fresh).to_json()
    following = [session.hint("deploy"), session.hint("serve")]
    session.out.answer(report, lambda out: say_build(out, report, following))


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
