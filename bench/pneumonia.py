"""PneumoniaMNIST, official file and split, ``efficientnet-lite0`` at 96 px: full training and head only.

Published figures: Yang et al., MedMNIST v2, Scientific Data 2023 (arXiv:2110.14795), as quoted in the datasets
folder's SOURCE.md.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from bench.harness import Bench, mean, table
from bench.training import metric, ratio_cells, seeds, train_seconds

MD5 = "28209eda62fecd6e6a2d98b1501bb15f"
#: name, AUROC, accuracy
PUBLISHED = (
    ("ResNet-18 at 28 px", 0.944, 0.854),
    ("ResNet-18 at 224 px", 0.956, 0.864),
    ("ResNet-50 at 224 px", 0.962, 0.884),
)
METHODS = {"full": {"method": '"full"'}, "head": {"method": '"head"'}}
WANTED_AUROC, AIM_AUROC, WANTED_SECONDS = 0.956, 0.970, {"full": 360.0, "head": 60.0}


def data_file() -> Path | None:
    """The official file; None where the datasets folder is not here. Ends the bench on a changed file."""
    folder = Path(
        os.environ.get("MODELMINT_TEST_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data")
    )
    file = folder / "pneumoniamnist" / "pneumoniamnist.npz"
    if not file.is_file():
        return None
    found = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    if found != MD5:
        sys.exit(f"{file} is not the official file: expected md5 {MD5}, found {found}")
    return file


def run(bench: Bench) -> None:
    """Measure and print; says so where the data is not here."""
    file = data_file()
    if file is None:
        print("\nPneumoniaMNIST: left out; set MODELMINT_TEST_DATA to a folder with pneumoniamnist/pneumoniamnist.npz")
        return
    columns = ("PneumoniaMNIST test", "AUROC", "accuracy", "train s", "chosen/fp32 bytes", "CPU", "accuracy points")
    rows: list[tuple[str, ...]] = []
    records = []
    for method, model in METHODS.items():
        found = seeds(bench, f"pneumonia-{method}", "chest-xray", data=file, model=model)
        records += found
        for one in found:
            cells = (f"{metric(one, 'auroc'):.4f}", f"{metric(one, 'accuracy'):.4f}", f"{train_seconds(one):.0f}")
            rows.append((f"{method}, seed {one['seed']}", *cells, *ratio_cells([one])))
        aurocs, accuracies = [metric(one, "auroc") for one in found], [metric(one, "accuracy") for one in found]
        spent = mean([train_seconds(one) for one in found])
        means = (f"{mean(aurocs):.4f}", f"{mean(accuracies):.4f}", f"{spent:.0f}")
        rows.append((f"{method}, mean of {len(found)}", *means, *ratio_cells(found)))
    wanted = (f">= {WANTED_AUROC}", "", f"< {WANTED_SECONDS['full']:.0f}", "<= 30.0%", "<= 50.0%", ">= -0.50")
    rows.append(("wanted (full)", *wanted))
    rows.append((f"aim (full); head < {WANTED_SECONDS['head']:.0f} s", f"> {AIM_AUROC}", "", "", "", "", ""))
    rows += [
        (f"published: {name}", f"{auroc:.3f}", f"{accuracy:.3f}", "", "", "", "") for name, auroc, accuracy in PUBLISHED
    ]
    table(
        "PneumoniaMNIST, efficientnet-lite0 at 96 px; accuracy at the threshold of validation", columns, rows, records
    )
