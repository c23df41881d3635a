"""A prediction as the plain JSON that customers read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelmint.tasks.types import Prediction


def present(prediction: Prediction, labels: Sequence[str]) -> dict[str, Any]:
    """``{label, probability, probabilities: {label: p}, abstained}``; probabilities stand in label order."""
    return {
        "label": prediction.label,
        "probability": prediction.probability,
        "probabilities": dict(zip(labels, prediction.probabilities, strict=True)),
        "abstained": prediction.abstained,
    }
