"""What ``build`` says at its end: candidates, metrics, gates, cost, the choice and why, the next command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmint.cli.output import Output
from modelmint.sdk.views.building import (
    candidates_view,
    dataset_line,
    gates_view,
    judged_title,
    metrics_view,
    seconds_line,
)
from modelmint.sdk.views.figures import short


def say_build(out: Output, report: Mapping[str, Any], following: Sequence[str]) -> None:
    """The whole report of a build for people."""
    out.say(f"Data: {dataset_line(report['dataset'])}")
    for name, model in models_of(report).items():
        say_model(out, name, model)
    out.say(f"Seconds: {seconds_line(report['seconds'])}", style="dim")
    release = report["release"]
    out.say(f"Release {release['id'][:12]} in {release['path']}", style="bold green")
    out.say("Next: " + "   then: ".join(following))


def say_model(out: Output, name: str, model: Mapping[str, Any]) -> None:
    """Candidates, metrics and gates of one model."""
    cost = model.get("cost") or {}
    out.say()
    out.table(candidates_view(model["candidates"], cost.get("currency")))
    if why := why_of(model):
        out.say(f"Why: {why}", style="bold")
    out.say()
    out.table(metrics_view(model["metrics"], judged_title(name, model.get("test_reads"))))
    if model["gates"]:
        out.say()
        out.table(gates_view(model["gates"]))
    if line := cost_line(cost):
        out.say(line)


def models_of(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Name -> the part of the report that speaks of that model."""
    models = report.get("models")
    return dict(models) if models else {"model": report}


def why_of(model: Mapping[str, Any]) -> str:
    """The one sentence that says why this candidate was chosen."""
    return str(model.get("why") or (model.get("cost") or {}).get("why") or "")


def cost_line(cost: Mapping[str, Any]) -> str:
    """The cost statement in one line: what one call takes through the real server, and what it is worth."""
    currency = cost.get("currency") or ""
    parts = []
    if cost.get("calls_per_second") is not None:
        parts.append(f"{short(cost['calls_per_second'])} calls/s through the real server")
    if cost.get("server_cpu_ms") is not None:
        parts.append(f"{short(cost['server_cpu_ms'])} ms CPU a call")
    if cost.get("cost_per_1k") is not None:
        parts.append(f"{short(cost['cost_per_1k'])} {currency} machine cost per 1,000 calls".replace("  ", " "))
    if isinstance(cost.get("monthly_value"), (int, float)):
        parts.append(f"worth {cost['monthly_value']:,.2f} {currency} a month".rstrip())
    return f"Cost on {cost.get('machine') or 'this machine'}, measured here: {', '.join(parts)}." if parts else ""
