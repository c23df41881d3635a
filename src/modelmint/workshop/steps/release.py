"""Build verb ``release``: the chosen candidates of all models in one bundle, with its statements."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmint.data.card import card, card_markdown
from modelmint.data.croissant import About, frozen_croissant
from modelmint.data.version import DatasetVersion, licence_of
from modelmint.kit.canonical import plain, pretty_json
from modelmint.kit.clock import Clock
from modelmint.kit.machine import this_machine
from modelmint.kit.version import __version__
from modelmint.releases import statements
from modelmint.releases.bundle import Release, write_release
from modelmint.releases.manifest import SCHEMA
from modelmint.releases.types import Manifest, ReleasedModel, Variant
from modelmint.tasks.types import ModelSpec
from modelmint.venture.load import LoadedVenture
from modelmint.workshop.records import graph_of, rounded
from modelmint.workshop.steps.card import release_readme
from modelmint.workshop.types import Candidate


@dataclass(frozen=True)
class ModelParts:
    """What one model contributes to the release."""

    name: str
    candidate: Candidate
    spec: ModelSpec
    backbone: Mapping[str, Any]
    compressed: Path
    judged: Path
    #: The chosen candidate's test scorecard, plain JSON.
    card: Mapping[str, Any]
    #: Parity and drops against the float32 parent, plain JSON.
    against_parent: Mapping[str, Any]
    test_reads: int
    lineage: Mapping[str, Any]
    #: Statement bodies by kind: cost, gates, timings, explanations.
    statements: Mapping[str, Any]


def graph_path(model: str, candidate: Candidate) -> str:
    """Where the graph lies in the bundle."""
    return f"models/{model}/{candidate.variant}/model.onnx"


def released_model(name: str, candidate: Candidate, spec: ModelSpec, backbone: str, test_reads: int) -> ReleasedModel:
    """The model's entry in the manifest."""
    if candidate.decision is None or candidate.size_bytes is None:
        raise ValueError(f"{candidate.key} was rejected; only measured candidates are released")
    variant = Variant(graph_path(name, candidate), candidate.recipe, candidate.precision, candidate.size_bytes)
    return ReleasedModel(
        spec=dataclasses.replace(spec, decision=candidate.decision),
        variants={candidate.variant: variant},
        default=candidate.variant,
        backbone=backbone,
        test_reads=test_reads,
    )


def venture_facts(venture: LoadedVenture) -> dict[str, str]:
    """What the manifest says of the venture."""
    section = venture.file.venture
    return {"name": section.name, "solution": section.solution, "purpose": section.purpose, "use": section.use}


def run(
    venture: LoadedVenture,
    dataset: DatasetVersion,
    parts: Sequence[ModelParts],
    shelf: Path,
    keyfile: Path,
    clock: Clock,
) -> Release:
    """Write the bundle (or open it, where the very same exists) and sign this machine's statements.

    Raises ``DamagedGraph`` where a graph is not the one that was judged.
    """
    manifest = _manifest(venture, dataset, parts)
    release = write_release(shelf, manifest, _files(venture, dataset, parts, manifest))
    machine = this_machine()
    for kind in ("cost", "gates", "timings", "explanations"):
        bodies = {part.name: part.statements[kind] for part in parts}
        # A lone model's figures stand at the top, where people look; several stand side by side.
        lone = bodies[parts[0].name] if len(parts) == 1 else {"models": bodies}
        body: dict[str, Any] = {**lone, "measured_on": plain(machine)}
        statements.add(release, kind, body, keyfile, machine.fingerprint, clock)
    return release


def _about(venture: LoadedVenture, dataset: DatasetVersion) -> About:
    section = venture.file.venture
    return About(section.name, section.purpose, licence_of(venture.file.data.licence, dataset))


def _manifest(venture: LoadedVenture, dataset: DatasetVersion, parts: Sequence[ModelParts]) -> Manifest:
    licences = {"data": licence_of(venture.file.data.licence, dataset), "code": "Apache-2.0"}
    for part in parts:
        licences[f"weights of {part.name}"] = str(part.backbone["licence"])
    return Manifest(
        schema=SCHEMA,
        venture=venture_facts(venture),
        models={
            part.name: released_model(
                part.name, part.candidate, part.spec, str(part.backbone["name"]), test_reads=part.test_reads
            )
            for part in parts
        },
        dataset={"digest": dataset.digest, "rows": dict(dataset.counts), "labels": list(dataset.labels)},
        lineage={"modelmint": __version__, "models": {part.name: dict(part.lineage) for part in parts}},
        licences=licences,
        waivers=dict(venture.file.gates.waive),
        files={},
    )


def _files(
    venture: LoadedVenture, dataset: DatasetVersion, parts: Sequence[ModelParts], manifest: Manifest
) -> dict[str, Path | bytes]:
    evaluation = {
        part.name: {
            **part.card,
            "validation": rounded(plain(part.candidate.scores or {})),
            "against_parent": rounded(part.against_parent),
            "test_reads": part.test_reads,
        }
        for part in parts
    }
    files: dict[str, Path | bytes] = {
        "venture.toml": venture.text.encode(),
        "evaluation.json": pretty_json({"models": evaluation}).encode(),
        "dataset.json": pretty_json({**card(dataset), "licence": manifest.licences["data"]}).encode(),
        "dataset.md": card_markdown(dataset).encode(),
        "croissant.json": pretty_json(frozen_croissant(dataset, _about(venture, dataset))).encode(),
        "README.md": release_readme(manifest, {part.name: part.card for part in parts}).encode(),
    }
    for part in parts:
        files[graph_path(part.name, part.candidate)] = graph_of(part.compressed, part.candidate)
        for plot in sorted((part.judged / "plots" / part.candidate.key).glob("*.svg")):
            files[f"plots/{part.name}/{plot.name}"] = plot
    return files
