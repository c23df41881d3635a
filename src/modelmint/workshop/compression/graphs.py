"""The graphs that compete: the baselines, and one per recipe, each on every engine that is installed."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from modelmint.data.version import DatasetVersion
from modelmint.inference.encoded import encode_all
from modelmint.inference.engines.registry import available
from modelmint.kit.arrays import AnyArray
from modelmint.kit.digest import digest_file
from modelmint.kit.progress import Progress
from modelmint.venture.sections.compress import CompressSection
from modelmint.workshop.compression.recipe import apply_recipe, recipe_name
from modelmint.workshop.compression.types import Materials
from modelmint.workshop.training.run import GRAPH, WEIGHTS, open_run
from modelmint.workshop.types import BASELINE, TORCH, Candidate

_NOT_FOR_SALE = "baseline: the shop serves without torch"
#: Variant of the float32 graphs where every variant of the venture has a recipe.
_PLAIN = "float32"


@dataclass(frozen=True, slots=True)
class CompressInputs:
    """All that compressing depends on."""

    #: Finished train or adopt folder.
    run: Path
    dataset: DatasetVersion
    #: Variant name -> how it is compressed.
    variants: Mapping[str, CompressSection]
    #: Share of answers that may stay open.
    abstain: float
    #: Draws the calibration pictures.
    seed: int

    @property
    def own(self) -> bool:
        """Whether the model was made elsewhere: there is a graph and no network."""
        return (self.run / GRAPH).is_file()


def make_graphs(inputs: CompressInputs, folder: Path, progress: Progress) -> list[Candidate]:
    """The baselines and one graph per variant's recipe, laid into ``folder``.

    A recipe that fails is a rejected row. Raises ``ExportFailed`` where not even the float32 graph can be made.
    """
    folder.mkdir(parents=True)
    plain = plain_variant(inputs.variants)
    found = _own(inputs, folder, plain) if inputs.own else _trained(inputs, folder, plain, progress)
    for variant, section in inputs.variants.items():
        if section.steps():
            progress.note(f"compressing {variant}: {', '.join(step.kind for step in section.steps())}")
            name = recipe_name(section.steps())
            made = _recipe(name if len(inputs.variants) == 1 else f"{name}-{variant}", section, inputs, folder)
            found += _on_engines(made, variant, None)
    return found


def _trained(inputs: CompressInputs, folder: Path, variant: str, progress: Progress) -> list[Candidate]:
    """The trained network in torch, and its float32 graph held against it."""
    from modelmint.workshop.compression.export import export
    from modelmint.workshop.engine import register_torch_engine
    from modelmint.workshop.training.load import load_run

    register_torch_engine()
    network, trained = load_run(inputs.run)
    settings = trained.spec.settings
    shape = (int(settings["channels"]), int(settings["image_size"]), int(settings["image_size"]))
    progress.note("exporting to ONNX")
    export(network, shape, folder / f"{BASELINE}.onnx")
    torch_row = Candidate(
        name=TORCH, engine="torch", recipe=(), precision="float32", graph=None, graph_digest=trained.weights_digest,
        size_bytes=(inputs.run / WEIGHTS).stat().st_size, parent=None, variant=variant, rejected=_NOT_FOR_SALE,
    )  # fmt: skip
    return [torch_row, *_on_engines(_described(BASELINE, folder), variant, torch_row.key)]


def _own(inputs: CompressInputs, folder: Path, variant: str) -> list[Candidate]:
    """The adopted graph; ONNX Runtime, on which it was proven, is the parent of the other engines."""
    shutil.copyfile(inputs.run / GRAPH, folder / f"{BASELINE}.onnx")
    precision = str(open_run(inputs.run).backbone["architecture"]["precision"])
    made = dataclasses.replace(_described(BASELINE, folder), precision=precision)
    origin = f"{BASELINE}@onnxruntime"
    rows = _on_engines(made, variant, origin)
    return sorted(
        [dataclasses.replace(row, parent=None) if row.key == origin else row for row in rows],
        key=lambda row: row.key != origin,
    )


def plain_variant(variants: Mapping[str, CompressSection]) -> str:
    """Under which name the float32 graphs are for sale: the variant without a recipe.

    A lone ``default`` may be either, so they share it. Otherwise they have a name of their own, and are not held to
    the limits of a variant that they do not belong to.
    """
    if list(variants) == ["default"]:
        return "default"
    for name, section in variants.items():
        if not section.steps():
            return name
    return _PLAIN if _PLAIN not in variants else f"{_PLAIN}-plain"


def _described(name: str, folder: Path) -> Candidate:
    path = folder / f"{name}.onnx"
    return Candidate(
        name=name, engine="", recipe=(), precision="float32", graph=f"graphs/{path.name}",
        graph_digest=digest_file(path), size_bytes=path.stat().st_size, parent=None,
    )  # fmt: skip


def _recipe(name: str, section: CompressSection, inputs: CompressInputs, folder: Path) -> Candidate:
    """The graph that the recipe makes, or a rejected row that says which step failed."""
    steps = section.steps()
    recipe = tuple(step.model_dump(mode="json") for step in steps)
    materials = Materials(calibration=partial(_calibration, inputs, section.calibration_samples))
    try:
        applied = apply_recipe(folder / f"{BASELINE}.onnx", folder / f"{name}.onnx", steps, materials)
    except Exception as error:  # a recipe is a row: whatever a step raises, the build goes on
        (folder / f"{name}.onnx").unlink(missing_ok=True)
        return Candidate(
            name=name, engine="", recipe=recipe, precision="unknown", graph=None, graph_digest=None, size_bytes=None,
            parent=None, rejected=f"could not be made: {error}",
        )  # fmt: skip
    return dataclasses.replace(
        _described(name, folder),
        recipe=recipe,
        precision=applied[-1].precision,
        facts=tuple(step.facts for step in applied),
    )


def _on_engines(made: Candidate, variant: str, parent: str | None) -> list[Candidate]:
    names = [name for name in available() if name != "torch"]
    return [
        dataclasses.replace(made, engine=engine, variant=variant, parent=parent or f"{BASELINE}@{engine}")
        for engine in names
    ]


def _calibration(inputs: CompressInputs, samples: int) -> AnyArray:
    """Encoded training pictures ``[n, c, s, s]``, drawn without replacement by seed."""
    payloads = inputs.dataset.payloads("train")
    chosen = np.random.default_rng(inputs.seed).permutation(len(payloads))[:samples]
    spec = open_run(inputs.run).spec
    return encode_all(spec, [payloads[place] for place in sorted(chosen.tolist())])
