"""scikit-learn's scanned digits with ``cnn``: test accuracy and training seconds over the seeds."""

from __future__ import annotations

from bench.harness import Bench, mean, table
from bench.training import metric, ratio_cells, seeds, train_seconds

WANTED_ACCURACY, WANTED_SECONDS = 0.985, 30.0


def run(bench: Bench) -> None:
    """Measure and print."""
    records = seeds(bench, "digits", "digits")
    rows = [
        (f"seed {one['seed']}", f"{metric(one, 'accuracy'):.4f}", f"{train_seconds(one):.1f}", *ratio_cells([one]))
        for one in records
    ]
    accuracy, spent = [metric(one, "accuracy") for one in records], [train_seconds(one) for one in records]
    rows.append((f"mean of {len(records)}", f"{mean(accuracy):.4f}", f"{mean(spent):.1f}", *ratio_cells(records)))
    rows.append(("wanted", f">= {WANTED_ACCURACY}", f"< {WANTED_SECONDS:.0f}", "<= 30%", "<= 50%", "-0.50"))
    columns = ("digits, cnn", "test accuracy", "train s", "chosen/fp32 bytes", "chosen/fp32 CPU", "accuracy points")
    table("Digits", columns, rows, records)
