"""Reading a finished train folder without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from modelmint.kit.digest import digest_value
from modelmint.tasks.types import DecisionRule, ModelSpec
from modelmint.workshop.errors import DamagedWeights
from modelmint.workshop.training.types import EpochRow, TrainedRun

WEIGHTS = "model.safetensors"
#: In the place of the weights: the graph of a model made elsewhere, wrapped.
GRAPH = "model.onnx"
RUN = "run.json"
TIMING = "timing.json"


def run_digest(run: dict[str, Any]) -> str:
    """Name of what was trained: the digest of its weights, spec and architecture."""
    return digest_value([run["weights"], run["spec"], run["backbone"]["architecture"], run["plan"]["hidden"]])


def open_run(folder: Path) -> TrainedRun:
    """The run in ``folder``; raises ``DamagedWeights`` where its description cannot be read.

    The weights themselves are checked when they are loaded.
    """
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
        timing = json.loads((folder / TIMING).read_text(encoding="utf-8"))
        spec = ModelSpec(
            task=run["spec"]["task"],
            settings=run["spec"]["settings"],
            labels=tuple(run["spec"]["labels"]),
            decision=DecisionRule(),
        )
        return TrainedRun(
            folder=folder,
            digest=run_digest(run),
            weights_digest=run["weights"],
            spec=spec,
            backbone=run["backbone"],
            plan=run["plan"],
            layout=run["layout"],
            history=tuple(EpochRow(**row) for row in run["history"]),
            kept_epoch=run["kept_epoch"],
            seconds=timing["train_seconds"],
            notes=tuple(run.get("notes", ())),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedWeights(
            f"{folder} is no finished training: expected readable {RUN} and {TIMING}, found {error!r}. "
            "Do: delete the folder and build again"
        ) from error
