"""From a recorded architecture back to a network, without pretrained weights or a network connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from modelmint.workshop.models.classifier import Classifier, Head
from modelmint.workshop.models.cnn import blank_cnn
from modelmint.workshop.models.efficientnet import blank_efficientnet
from modelmint.workshop.models.hub import blank_transformers

ARCHITECTURES: dict[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    "cnn": blank_cnn,
    "efficientnet": blank_efficientnet,
    "transformers": blank_transformers,
}


def blank_body(architecture: Mapping[str, Any]) -> nn.Module:
    """The body that ``architecture`` (plain JSON, from ``run.json``) describes, weights fresh."""
    return ARCHITECTURES[str(architecture["kind"])](architecture)


def blank_classifier(architecture: Mapping[str, Any], labels: int, hidden: int) -> Classifier:
    """Body and head as trained, weights fresh; dropout is 0 because the answer never needs it."""
    body = blank_body(architecture)
    return Classifier(body, Head(int(body.width), labels, hidden, 0.0))  # type: ignore[arg-type] # every body has an int width
