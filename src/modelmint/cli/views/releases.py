"""Releases as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmint.cli.output import Output
from modelmint.cli.types import Column, TableView
from modelmint.sdk.views.building import gates_view, metrics_view
from modelmint.sdk.views.figures import DASH, count, interval, size


def say_release(out: Output, found: Mapping[str, Any]) -> None:
    """One release in full, for people."""
    venture = found["venture"]
    out.say(f"Release {found['id']}", style="bold")
    out.say(f"  {venture.get('name', '')}: {venture.get('purpose', '')}".rstrip(": "))
    if venture.get("use"):
        out.say(f"  Use: {venture['use']}")
    out.say(f"  {found['path']}")
    for name, model in found["models"].items():
        title = f"Model {name}: {model['backbone']}, labels {', '.join(model['labels'])}; test split"
        out.table(metrics_view(model["metrics"], f"{title}, judged {count(model['test_reads'], 'time')}"))
        rows = tuple(
            (key, v["precision"], size(v["size_bytes"]), v["graph"], "default" if key == model["default"] else "")
            for key, v in model["variants"].items()
        )
        columns = (Column("variant"), Column("precision"), Column("size", True), Column("graph"), Column(""))
        out.table(TableView("Variants", columns, rows, {}))
    for statement in found["statements"]:
        _say_statement(out, statement)
    out.table(_pairs("Licences", found["licences"]))
    out.table(_pairs("Waived gates", found["waivers"]) if found["waivers"] else _pairs("Came from", found["lineage"]))


def _say_statement(out: Output, statement: Mapping[str, Any]) -> None:
    head = f"{statement['kind']} on machine {statement['machine']}, {statement['made_at'][:16]}"
    body = statement["body"]
    gates = body.get("gates")
    if isinstance(gates, list) and gates:
        out.table(gates_view(gates))
        out.say(f"  {head}, signed by {statement['signed_by']} key", style="dim")
        return
    flat = {key: value for key, value in body.items() if not isinstance(value, (dict, list)) or _is_estimate(value)}
    if flat:
        out.table(_pairs(f"{head}, signed by {statement['signed_by']} key", flat))


def _pairs(title: str, content: Mapping[str, Any]) -> TableView:
    rows = tuple((str(key), _text(value)) for key, value in content.items())
    return TableView(title, (Column(""), Column("")), rows, {})


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if _is_estimate(value):
        return interval(value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return DASH if value is None else str(value)


def _is_estimate(value: Any) -> bool:
    return isinstance(value, dict) and {"value", "low", "high"} <= value.keys()
