"""A release with everything beside it that a build lays there: judged on real answers, priced with made-up figures."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from modelmint.evaluation.judge import scorecard
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.predictor import Predictor
from modelmint.kit.canonical import plain, pretty_json
from modelmint.kit.clock import Clock, SystemClock
from modelmint.kit.estimate import Estimate
from modelmint.releases import statements
from modelmint.releases.bundle import Release, write_release
from modelmint.releases.sign import KEY_FILE
from modelmint.testing.pictures import picture
from modelmint.testing.releases import LABELS, brightness_parts

MACHINE = "feedfacecafebeef"
MEASURED_ON = {"processor": "Testing CPU", "cores": 2, "memory_gib": 8.0, "system": "Linux x86_64"}
_ROWS = 120
_FACTS = {
    "family": "grey squares",
    "format": "list",
    "splits": "val (15%) and test (15%) cut from all rows by class, seed 0",
}


def told_release(
    workspace: Path, name: str = "brightness", *, venture: str = "", clock: Clock | None = None,
    leave_out: tuple[str, ...] = (), bodies: Mapping[str, Mapping[str, Any]] | None = None,
) -> Release:  # fmt: skip
    """On the workspace's shelf: the release of ``brightness_release`` with its scorecard, data card and statements.

    The scorecard is that of the graph's own answers on seeded pictures, some of them labelled against their
    brightness. ``leave_out`` names kinds of statements that are not made, ``bodies`` replaces some.
    """
    manifest, files = brightness_parts(name, venture=venture)
    judged = _judged(name, manifest, files)
    files |= {
        "evaluation.json": pretty_json({"models": {name: judged}}).encode(),
        "dataset.json": pretty_json(data_card()).encode(),
    }
    model = dataclasses.replace(manifest.models[name], test_reads=1)
    manifest = dataclasses.replace(
        manifest,
        models={name: model},
        dataset={"digest": "d" * 64, "rows": data_card()["rows"]},
        lineage={"modelmint": "0.1.0", "models": {name: {"run": "e" * 64, "plan": {"epochs": 3, "seed": 0}}}},
        licences={"data": "CC BY 4.0", "code": "Apache-2.0", f"weights of {name}": "Apache-2.0"},
    )
    release = write_release(workspace / "releases", manifest, files)
    for kind, body in {**statement_bodies(), **(bodies or {})}.items():
        if kind not in leave_out:
            told = {**body, "measured_on": MEASURED_ON}
            statements.add(release, kind, told, workspace / "keys" / KEY_FILE, MACHINE, clock or SystemClock())
    return release


def _judged(name: str, manifest: Any, files: Mapping[str, Any]) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    levels = rng.integers(40, 216, _ROWS)
    targets = (levels + rng.normal(0, 25, _ROWS) > 127).astype(np.int64)
    spec = manifest.models[name].spec
    with TemporaryDirectory() as folder:
        graph = Path(folder) / "model.onnx"
        graph.write_bytes(files[f"models/{name}/default/model.onnx"])
        engine = ENGINES.get("onnxruntime")(graph, 1)
        try:
            logits = Predictor(spec, engine).logits([picture(int(level)) for level in levels])
        finally:
            engine.close()
    card = scorecard(targets, logits, LABELS, spec.decision, "test", resamples=50)
    return {**plain(card), "against_parent": {"test": {"accuracy_drop": -0.0025}}, "test_reads": 1}


def data_card() -> dict[str, Any]:
    """As ``data.card`` writes it."""
    by_label = {split: dict(zip(LABELS, counts, strict=True)) for split, counts in _COUNTS.items()}
    return {
        "digest": "d" * 64,
        "labels": list(LABELS),
        "positive": "bright",
        "rows": {split: sum(counts) for split, counts in _COUNTS.items()},
        "rows_by_label": by_label,
        "pictures": {"channels": 1, "median_width": 16, "median_height": 16},
        "groups": 0,
        "facts": _FACTS,
        "problems": [{"kind": "exact_duplicate", "action": "skipped", "rows": 3}],
        "findings": [],
        "licence": "CC BY 4.0",
    }


_COUNTS = {"train": (301, 299), "val": (61, 59), "test": (58, 62)}


def statement_bodies() -> dict[str, dict[str, Any]]:
    """Bodies of cost, gates, timings and explanations in the form in which a build signs them."""
    return {
        "cost": _cost(),
        "gates": {
            "gates": [
                {"name": "accuracy", "wanted": ">= 0.8", "found": 0.858333, "passed": True, "waived": None},
                {"name": "p99_ms", "wanted": "<= 5", "found": 7.125, "passed": False, "waived": "the pilot allows it"},
                {"name": "gross_margin", "wanted": ">= 0.5", "found": None, "passed": False, "waived": None},
            ]
        },
        "timings": {"candidates": [_candidate(*row) for row in _CANDIDATES]},
        "explanations": _explained(),
    }


_CANDIDATES = (
    ("torch-fp32", "torch", 0.8583, 2.4571, None, "baseline: the shop serves without torch"),
    ("onnx-fp32", "onnxruntime", 0.8583, 1.2034, "187.25", None),
    ("int8", "onnxruntime", 0.8667, 0.4127, "243.80", None),
    (
        "int8",
        "openvino",
        0.8500,
        0.9911,
        None,
        "parity: 9 of 120 answers on validation flipped, at most 2.0% is allowed",
    ),
)


def _candidate(
    name: str, engine: str, accuracy: float, cpu: float, value: str | None, rejected: str | None
) -> dict[str, Any]:
    chosen = (name, engine) == ("int8", "onnxruntime")
    intervals: dict[str, Any] = {
        "accuracy": plain(Estimate(accuracy, accuracy - 0.07, accuracy + 0.05, 120)),
        "cpu_ms": plain(Estimate(cpu, cpu * 0.95, cpu * 1.06, 40)),
    }
    if value:
        intervals["monthly_value"] = {"value": value, "low": str(float(value) - 31.5), "high": str(float(value) + 20)}
    return {
        "name": name, "engine": engine, "precision": "int8" if name == "int8" else "float32", "threads": 1,
        "accuracy": accuracy, "auroc": None, "cpu_ms": cpu, "p50_ms": cpu * 0.98, "p99_ms": cpu * 1.4,
        "size_bytes": 4211 if name == "int8" else 15872, "calls_per_second": 911.5 if value else None,
        "cost_per_1k": 0.0000244 if value else None, "monthly_value": value and float(value), "chosen": chosen,
        "rejected": rejected, "note": "load-tested while other programs kept 0.9 cores busy" if chosen else None,
        "disturbed": False, "intervals": intervals,
    }  # fmt: skip


def _cost() -> dict[str, Any]:
    level = {
        "clients": 4, "calls": 912, "calls_per_second": 911.5, "p50_ms": 4.1875, "p99_ms": 7.125,
        "server_cpu_ms": 1.8125, "errors": 0,
    }  # fmt: skip
    return {
        "engine": "onnxruntime", "threads": 1, "variant": "default", "candidate": "int8@onnxruntime",
        "machine": "2 vCPU cloud instance", "currency": "USD", "machines": 1, "p50_ms": 4.1875, "p99_ms": 7.125,
        "clients": 4, "server_cpu_ms": 1.8125, "calls_per_second": 911.5,
        "assumptions": [
            "the busiest hour is 4 times the mean",
            "payments cost no fee, as [costs] payment_fee is not stated",
        ],
        "missing": [],
        "wrong_share": plain(Estimate(0.1375, 0.0875, 0.2125, 120)),
        "why": "int8@onnxruntime is chosen: it has the highest monthly value inside the gates, 56.55 USD more than "
        "onnx-fp32@onnxruntime.",
        "load_test": {"points": [level], "best": level, "p99_limit_ms": 50.0, "load": 0.125, "workers": 2},
        "exact": {
            "calls_per_second": "911.5", "peak_calls_per_second": "0.015220700", "cost_per_1k": "0.000024380",
            "cost_per_1k_at_demand": "6.12", "revenue": "305.00", "machine_cost": "58.40", "payment_fees": "0.00",
            "storage_cost": "0.00", "review_cost": "2.80", "error_cost": "0.00", "gross_margin": "0.799344262",
            "monthly_value": {"value": "243.80", "low": "212.30", "high": "263.80"},
        },
    }  # fmt: skip


def _explained() -> dict[str, Any]:
    heat = [[round(1 - (abs(3 - i) + abs(3 - j)) / 6, 4) for j in range(7)] for i in range(7)]
    return {
        "kind": "occlusion",
        "grid": [7, 7],
        "passes": 49,
        "extra_ms": plain(Estimate(3.7625, 3.5125, 4.0375, 64)),
        "masking": {
            "hottest": plain(Estimate(0.4125, 0.3625, 0.4625, 120)),
            "random": plain(Estimate(0.1375, 0.1125, 0.1625, 120)),
            "difference": plain(Estimate(0.275, 0.2225, 0.3275, 120)),
            "n": 120,
            "share": 0.1,
            "score": "log odds",
            "split": "val",
        },
        "mean_map": heat,
        "mean_map_by_label": dict.fromkeys(LABELS, heat),
    }


def keep_cases(workspace: Path, release: Release, model: str = "brightness") -> None:
    """The surest right and wrong case where a build keeps them, with real pictures."""
    folder = workspace / "cases" / release.id / model
    folder.mkdir(parents=True)
    rows = []
    for place, (level, truth, label, probability) in enumerate(
        ((230, "bright", "bright", 0.9871), (60, "dark", "dark", 0.9452), (150, "dark", "bright", 0.8123))
    ):
        (folder / f"{place}.png").write_bytes(picture(level))
        (folder / f"{place}-heat.png").write_bytes(picture(255 - level))
        rows.append(
            {
                "name": f"{label}/{place}.png", "truth": truth, "label": label, "probability": probability,
                "right": truth == label, "picture": f"{place}.png", "heat": f"{place}-heat.png", "values": [[0.5]],
            }
        )  # fmt: skip
    (folder / "cases.json").write_text(json.dumps(rows), encoding="utf-8")
