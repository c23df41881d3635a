"""Releases as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmint.cli.output import Output
from modelmint.cli.types import Column, TableView
from modelmint.cli.views.building import gates_view, metrics_view
from modelmint.cli.views.figures import DASH, count, interval, size
from modelmint.kit.canonical import plain
from modelmint.releases.bundle import Release
from modelmint.releases.describe import describe


def full_json(release: Release, own_public_key: str | None = None) -> dict[str, Any]:
    """Everything about one release."""
    found: dict[str, Any] = plain(describe(release, own_public_key))
    return found


def release_json(release: Release, deployed: Sequence[str] = ()) -> dict[str, Any]:
    """One release in a list: id, path, models with their main metric and size, when it was made, where it is served."""
    found = full_json(release)
    statements = found["statements"]
    models = {
        name: {
            "labels": model["labels"],
            "backbone": model["backbone"],
            "metrics": model["metrics"],
            "variants": {key: variant["size_bytes"] for key, variant in model["variants"].items()},
        }
        for name, model in found["models"].items()
    }
    return {
        "id": found["id"],
        "path": found["path"],
        "venture": found["venture"].get("name"),
        "made_at": statements[0]["made_at"] if statements else None,
        "models": models,
        "deployed_as": list(deployed),
    }


def releases_view(releases: Sequence[Mapping[str, Any]]) -> TableView:
    """``releases``: what ``release_json`` gives."""
    rows = []
    for one in releases:
        for name, model in one["models"].items():
            metrics = model["metrics"]
            rows.append(
                (
                    one["id"][:12],
                    name,
                    str(model["backbone"]),
                    interval(metrics.get("auroc"), 4),
                    interval(metrics.get("accuracy"), 4),
                    ", ".join(size(value) for value in model["variants"].values()),
                    (one["made_at"] or DASH)[:16].replace("T", " "),
                    ", ".join(one["deployed_as"]) or DASH,
                )
            )
    columns = (
        Column("release"), Column("model"), Column("backbone"), Column("AUROC", True), Column("accuracy", True),
        Column("size", True), Column("made"), Column("served as"),
    )  # fmt: skip
    return TableView(count(len(releases), "release"), columns, tuple(rows), {})


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
    flat = {key: value for key, value in body.items() if not isinstance(value, (dict, list))}
    if flat:
        out.table(_pairs(f"{head}, signed by {statement['signed_by']} key", flat))


def _pairs(title: str, content: Mapping[str, Any]) -> TableView:
    rows = tuple((str(key), _text(value)) for key, value in content.items())
    return TableView(title, (Column(""), Column("")), rows, {})


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return DASH if value is None else str(value)
