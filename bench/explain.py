"""Explanations of the int8 PneumoniaMNIST release on official test pictures: whether they are true, what they cost.

Nothing is chosen by what is found here. ``MODELMINT_BENCH_RELEASE`` names the folder of a release that is built
already; without it the release of the bench ``pneumonia``, full training, seed 0, is built or taken from its folder.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.harness import Bench, table
from bench.pneumonia import METHODS, data_file
from bench.training import seeds
from modelmint.data.pictures import encode_png
from modelmint.inference.encoded import encode_all
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.explain.explain import explain_row
from modelmint.inference.explain.masking import masking_test, mean_of
from modelmint.inference.predictor import Predictor, run_batches
from modelmint.kit.canonical import plain
from modelmint.releases.bundle import Release
from modelmint.serving.loading import engine_choice

PICTURES = 300
MOST_PASSES = 60


def run(bench: Bench) -> None:
    """Measure and print; says so where the data is not here."""
    file = data_file()
    if file is None:
        print("\nExplanations: left out; they are measured on PneumoniaMNIST, which is not here")
        return
    found = bench.measure("explain", "pneumonia-int8", lambda _: _measured(_release(bench, file), file))
    columns = ("log odds of the answer fall by", "mean", "95 % interval", "n")
    rows = [
        (told, f"{one['value']:.2f}", f"{one['low']:.2f} to {one['high']:.2f}", str(one["n"]))
        for told, one in (
            ("hottest tenth painted out", found["hottest"]),
            ("random tenth painted out", found["random"]),
            ("difference (wanted: interval above 0)", found["difference"]),
        )
    ]
    one = found["extra_ms"]
    extra = (f"{one['value']:.1f}", f"{one['low']:.1f} to {one['high']:.1f}", str(one["n"]))
    rows.append((f"extra CPU ms of a picture ({found['kind']}, {found['passes']} passes, wanted <= 60)", *extra))
    rows.append(("CPU ms of a plain answer, encode and engine", f"{found['plain_ms']:.2f}", "", str(one["n"])))
    table(f"Explanations, {found['model']}, PneumoniaMNIST test", columns, rows, [found])
    if found["passes"] > MOST_PASSES or found["difference"]["low"] <= 0:
        sys.exit("the explanations fail the masking test, or take too many passes")


def _release(bench: Bench, file: Path) -> Release:
    named = os.environ.get("MODELMINT_BENCH_RELEASE")
    if named:
        return Release.open(Path(named))
    (record,) = seeds(replace(bench, seeds=1), "pneumonia-full", "chest-xray", data=file, model=METHODS["full"])
    return Release.open(Path(record["build"]["release"]["path"]))


def _measured(release: Release, file: Path) -> Mapping[str, Any]:
    name, model = next(iter(release.manifest.models.items()))
    spec, variant = model.spec, model.variants[model.default]
    choice = engine_choice(release, name, model.default)
    with np.load(file) as arrays:
        images = arrays["test_images"]
    drawn = sorted(np.random.default_rng(0).permutation(len(images))[:PICTURES].tolist())
    payloads = [encode_png(images[place]) for place in drawn]
    engine = ENGINES.get(choice.engine)(release.graph(name), choice.threads)
    try:
        began = time.process_time()
        rows = encode_all(spec, payloads, workers=1)
        logits = run_batches(engine, rows, batch_size=1)
        plain_ms = (time.process_time() - began) * 1000 / len(payloads)
        labels = [spec.labels.index(one.label) for one in Predictor(spec, engine).decode(logits)]
        given = zip(rows, logits, labels, payloads, strict=True)
        made = [explain_row(engine, row, answer, label, spec, over=payload) for row, answer, label, payload in given]
        heats = [np.asarray(one.values) for one in made]
        masked = masking_test(engine, rows, logits, labels, heats, spec)
    finally:
        engine.close()
    return {
        **plain(masked),
        "extra_ms": plain(mean_of(np.asarray([one.ms for one in made]))),
        "plain_ms": plain_ms,
        "kind": made[0].kind,
        "passes": max(one.passes for one in made),
        "model": f"{model.backbone} {variant.precision} on {choice.engine}, {choice.threads} threads",
    }
