"""What several builds of one venture with different seeds have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.harness import Bench, built, mean, value

BASE = "onnx-fp32"


def seeds(
    bench: Bench, figure: str, solution: str, *, data: Path | None = None, model: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """One build per seed; each record holds the build's object under ``build``."""

    def work(seed: int) -> dict[str, Any]:
        def build(folder: Path) -> dict[str, Any]:
            keys = {**(model or {}), "seed": str(seed)}
            return {"seed": seed, "build": built(folder, solution, data=data, model=keys)}

        return bench.measure(figure, f"seed{seed}", build)

    return [work(seed) for seed in range(bench.seeds)]


def metric(record: Mapping[str, Any], name: str) -> float:
    """A test metric of a build; NaN where it has none."""
    found = value(record["build"]["metrics"].get(name))
    return float("nan") if found is None else found


def train_seconds(record: Mapping[str, Any]) -> float:
    """Seconds of the training step, of all models together."""
    spent = record["build"]["seconds"]
    return sum(float(seconds) for step, seconds in spent.items() if step.startswith("train"))


def ratios(record: Mapping[str, Any]) -> dict[str, float] | None:
    """The chosen candidate against ``onnx-fp32`` on the same engine, else the cheapest: bytes, CPU, accuracy points."""
    candidates: Sequence[Mapping[str, Any]] = record["build"]["candidates"]
    chosen = next((one for one in candidates if one["chosen"]), None)
    bases = [one for one in candidates if one["name"] == BASE and value(one["cpu_ms"]) is not None]
    if chosen is None or not bases:
        return None
    base = min(bases, key=lambda one: value(one["cpu_ms"]) or 0.0)
    cpu, base_cpu = value(chosen["cpu_ms"]), value(base["cpu_ms"])
    accuracy, base_accuracy = value(chosen["accuracy"]), value(base["accuracy"])
    if cpu is None or base_cpu is None or accuracy is None or base_accuracy is None:
        return None
    return {
        "bytes": chosen["size_bytes"] / base["size_bytes"],
        "cpu": cpu / base_cpu,
        "points": (accuracy - base_accuracy) * 100,
    }


def ratio_cells(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Mean ratios of all seeds as three cells: share of bytes, share of CPU, accuracy points."""
    found = [one for one in map(ratios, records) if one is not None]
    if not found:
        return ["-", "-", "-"]
    return [
        f"{mean([one['bytes'] for one in found]):.1%}",
        f"{mean([one['cpu'] for one in found]):.1%}",
        f"{mean([one['points'] for one in found]):+.2f}",
    ]
