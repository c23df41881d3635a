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


def item_ids(prediction: str, count: int) -> list[str]:
    """Names of the answers of one call: that of the call where it has one, else numbered from 0."""
    return [f"{prediction}.{index}" for index in range(count)] if count > 1 else [prediction]
