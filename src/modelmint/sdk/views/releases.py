"""Releases as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmint.commerce.types import Deployment
from modelmint.kit.canonical import plain
from modelmint.releases.bundle import Release
from modelmint.releases.describe import describe
from modelmint.sdk.types import Column, TableView
from modelmint.sdk.views.figures import DASH, count, interval, size


def release_json(release: Release, served: Sequence[Deployment]) -> dict[str, Any]:
    """One release in a list: id, path, models with their main metric and size, when it was made, as what it is served.

    ``served``: all that the venture serves, of whatever release.
    """
    found = plain(describe(release))
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
        "deployed_as": [one.name for one in served if one.release == release.id],
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
