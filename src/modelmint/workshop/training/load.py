"""From a train folder back to the network."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load as load_tensors

from modelmint.kit.digest import digest_bytes
from modelmint.workshop.errors import DamagedWeights
from modelmint.workshop.models.architectures import blank_classifier
from modelmint.workshop.models.classifier import Classifier
from modelmint.workshop.training.run import WEIGHTS, open_run
from modelmint.workshop.training.types import TrainedRun


def load_run(folder: Path) -> tuple[Classifier, TrainedRun]:
    """The trained network (eval mode, float32, on the CPU) and its run; needs nothing outside ``folder``.

    Raises ``DamagedWeights`` where the weights are not those the run wrote.
    """
    run = open_run(folder)
    try:
        content = (folder / WEIGHTS).read_bytes()
    except OSError as error:
        raise DamagedWeights(
            f"cannot read {folder / WEIGHTS}: {error}. Do: delete the folder and build again"
        ) from error
    if digest_bytes(content) != run.weights_digest:
        raise DamagedWeights(
            f"{folder / WEIGHTS} changed since it was written: expected sha256 {run.weights_digest}, "
            f"found {digest_bytes(content)}. Do: delete the folder and build again"
        )
    network = blank_classifier(run.backbone["architecture"], len(run.spec.labels), int(run.plan["hidden"]))
    network.load_state_dict(load_tensors(content))
    return network.eval().requires_grad_(False), run
