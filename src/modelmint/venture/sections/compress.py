"""``[compress]``: how a trained model is made cheaper, and how far it may drift from its parent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from modelmint.venture.sections.base import Complaint, Section, refuse_if_any


class CompressStep(Section):
    """One typed step of a recipe: ``[[compress.step]]``."""

    kind: Literal["quantise"]
    #: Range observer of activations.
    observer: Literal["minmax", "percentile", "entropy"] = "minmax"


class CompressSection(Section):
    """``recipe = ["quantise"]`` is sugar for steps with defaults; ``[]`` keeps float32."""

    recipe: list[Literal["quantise"]] = ["quantise"]
    step: list[CompressStep] = []
    #: Training pictures that calibrate quantisation.
    calibration_samples: int = Field(256, ge=1)
    #: Parity with the parent on validation: mean absolute probability difference allowed (never 0: another engine
    #: rounds otherwise) ...
    max_probability_difference: float = Field(0.05, gt=0, le=1)
    #: ... and share of labels that may flip.
    max_label_flips: float = Field(0.03, ge=0, le=1)

    @model_validator(mode="after")
    def _one_recipe(self) -> CompressSection:
        refuse_if_any(self._complaints())
        return self

    def _complaints(self) -> Iterator[Complaint]:
        if self.step and "recipe" in self.model_fields_set:
            message = "recipe is short for steps with their defaults; give recipe or [[compress.step]] tables, not both"
            yield Complaint(("recipe",), message, needs=(("step",),))

    def steps(self) -> list[CompressStep]:
        """The recipe with its sugar resolved."""
        return self.step or [CompressStep(kind=kind) for kind in self.recipe]
