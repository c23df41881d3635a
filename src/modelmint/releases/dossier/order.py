"""In which order metrics are told: what matters most to a reader first, names that are not known here last."""

from __future__ import annotations

from collections.abc import Mapping

from modelmint.kit.estimate import Estimate

ORDER = (
    "auroc", "accuracy", "sensitivity", "specificity", "balanced_accuracy", "f1_macro", "answered_accuracy",
    "abstained", "ece", "brier", "nll",
)  # fmt: skip


def ordered(metrics: Mapping[str, Estimate]) -> list[tuple[str, Estimate]]:
    """Name and value of each metric in the order of reading."""
    places = {name: place for place, name in enumerate(ORDER)}
    return sorted(metrics.items(), key=lambda item: (places.get(item[0], len(places)), item[0]))
