"""The recipe steps there are, and applying several in order."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from modelmint.kit.registry import Registry
from modelmint.venture.sections.compress import CompressStep
from modelmint.workshop.compression.quantise import Quantise
from modelmint.workshop.compression.types import Applied, Materials, RecipeStep

STEPS: Registry[RecipeStep] = Registry("recipe step", {"quantise": Quantise()})


def recipe_name(steps: Sequence[CompressStep]) -> str:
    """What a candidate made by these steps is called: the tags of the steps, joined."""
    return "-".join(STEPS.get(step.kind).tag for step in steps)


def apply_recipe(graph: Path, into: Path, steps: Sequence[CompressStep], materials: Materials) -> list[Applied]:
    """Run ``steps`` in order from ``graph`` to ``into``; raises what the first failing step raises."""
    done = []
    with tempfile.TemporaryDirectory() as folder:
        current = graph
        for place, step in enumerate(steps):
            following = Path(folder) / f"{place}.onnx"
            settings = step.model_dump(exclude={"kind"})
            done.append(STEPS.get(step.kind).apply(current, following, settings, materials))
            current = following
        shutil.copyfile(current, into)
    return done
