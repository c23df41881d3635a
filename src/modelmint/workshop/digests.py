"""What each build step depends on, as plain JSON: its digest names the step's folder."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelmint.kit.canonical import plain
from modelmint.kit.digest import digest_bytes
from modelmint.kit.machine import this_machine
from modelmint.tasks.types import ModelSpec
from modelmint.venture.load import LoadedVenture
from modelmint.venture.sections.compress import CompressSection
from modelmint.venture.sections.data import DataSection
from modelmint.venture.sections.model import OWN_KEYS, ModelSection
from modelmint.venture.sections.serving import ServingSection
from modelmint.workshop.cache import source_digest, versions
from modelmint.workshop.models.identity import base_identity
from modelmint.workshop.types import Candidate

#: What encodes, runs and scores: part of every step that measures a model.
_PATH = ("data/pictures.py", "tasks", "inference", "evaluation")


def prepare(section: DataSection, source: str) -> dict[str, Any]:
    """The data section, the content it reads, the code that reads it."""
    return {
        "section": section.model_dump(mode="json"),
        "source": source,
        "code": source_digest("data", "workshop/steps/prepare.py"),
        "versions": versions("numpy", "pillow"),
    }


def train(section: ModelSection, dataset: str, root: Path, max_pixels: int) -> dict[str, Any]:
    """The model section, the dataset, the weights behind its base, the code and versions that train.

    Fetches a hub's base that was not fetched yet; raises ``BaseUnavailable``.
    """
    return {
        "section": section.model_dump(mode="json", exclude={"variants", "abstain", *OWN_KEYS}),
        # The founder's own image size binds; the default one gives way to the backbone's.
        "stated": sorted(section.model_fields_set & {"image_size"}),
        "base": base_identity(section.base, root, section.revision),
        "dataset": dataset,
        "max_pixels": max_pixels,
        "code": source_digest(
            "workshop/models", "workshop/training", "workshop/steps/train.py", "tasks", "data/pictures.py",
            "data/augment.py", "inference/encoded.py",
        ),
        "versions": versions("torch", "transformers", "numpy", "pillow", "efficientnet-lite-pytorch"),
        "threads": os.environ.get("MODELMINT_THREADS"),
    }  # fmt: skip


def adopt(section: ModelSection, dataset: str, root: Path, max_pixels: int) -> dict[str, Any]:
    """What the founder says of a model made elsewhere, its files, the pictures that it is tried on, and the code."""
    from modelmint.workshop.adoption.source import file_digests

    return {
        "section": section.model_dump(mode="json", include={"task", "base", "image_size", "seed", *OWN_KEYS}),
        "stated": sorted(section.model_fields_set & {"image_size"}),
        "files": file_digests((root / Path(section.base).expanduser()).resolve()),
        "dataset": dataset,
        "max_pixels": max_pixels,
        "code": source_digest(
            *_PATH, "workshop/adoption", "workshop/steps/adopt.py", "workshop/compression/tidy.py",
            "workshop/training/run.py",
        ),
        "versions": versions("onnx", "onnxruntime", "numpy", "pillow"),
    }  # fmt: skip


def compress(run: str, dataset: str, variants: Mapping[str, CompressSection], section: ModelSection) -> dict[str, Any]:
    """The trained network, the recipes, the code, and the machine with its engines, since it times."""
    return {
        "run": run,
        "dataset": dataset,
        "variants": {name: variant.model_dump(mode="json") for name, variant in variants.items()},
        "abstain": section.abstain,
        "seed": section.seed,
        "code": source_digest(
            *_PATH,
            "workshop/compression",
            "workshop/engine.py",
            "workshop/steps/compress.py",
            "workshop/records.py",
            "workshop/types.py",
        ),
        "machine": this_machine().fingerprint,
        "versions": versions("onnxruntime", "openvino", "onnx", "onnxscript", "torch", "numpy"),
    }


def judge(candidates: Sequence[Candidate], spec: ModelSpec, dataset: str) -> dict[str, Any]:
    """Who is judged, on what, by which code; also names the reading of the test split."""
    return {
        "candidates": [_identity(candidate) for candidate in candidates],
        "spec": plain(spec),
        "dataset": dataset,
        "code": source_digest(*_PATH, "workshop/steps/judge.py", "workshop/records.py"),
        "versions": versions("onnxruntime", "openvino", "numpy"),
    }


def price(
    candidates: Sequence[Candidate], spec: ModelSpec, serving: ServingSection, p99_limit_ms: float | None
) -> dict[str, Any]:
    """What is load-tested, the server's code and limits, and the machine."""
    return {
        "candidates": [
            [*_identity(candidate), candidate.timing.threads if candidate.timing else None] for candidate in candidates
        ],
        "spec": plain(spec),
        "serving": serving.model_dump(mode="json"),
        "p99_limit_ms": p99_limit_ms,
        "code": source_digest(
            "data/pictures.py", "tasks", "inference", "serving", "commerce", "store", "operations", "api",
            "bootstrap.py", "worker", "releases", "kit", "workshop/steps/price.py", "workshop/steps/release.py",
            "workshop/records.py",
        ),
        "machine": this_machine().fingerprint,
        "versions": versions("onnxruntime", "openvino", "starlette", "uvicorn", "sqlalchemy"),
    }  # fmt: skip


def explain(candidate: Candidate, spec: ModelSpec, dataset: str) -> dict[str, Any]:
    """Who is explained, on what, by which code, and the machine, since it times."""
    return {
        "candidate": _identity(candidate),
        "timing": plain(candidate.timing),
        "spec": plain(spec),
        "dataset": dataset,
        "code": source_digest(*_PATH, "workshop/steps/explain.py", "workshop/records.py"),
        "machine": this_machine().fingerprint,
        "versions": versions("onnxruntime", "openvino", "numpy", "pillow"),
    }


def release(venture: LoadedVenture, dataset: str, parts: Sequence[Any]) -> dict[str, Any]:
    """Everything that content and statements are made of."""
    return {
        "venture": digest_bytes(venture.text.encode()),
        "waivers": dict(venture.file.gates.waive),
        "dataset": dataset,
        "parts": [
            {
                "name": part.name,
                "candidate": _identity(part.candidate),
                "card": part.card,
                "lineage": part.lineage,
                "test_reads": part.test_reads,
                "statements": part.statements,
            }
            for part in parts
        ],
        "code": source_digest(
            "releases", "data/card.py", "data/croissant.py", "workshop/steps/release.py", "workshop/steps/card.py"
        ),
        "machine": this_machine().fingerprint,
    }


def _identity(candidate: Candidate) -> list[Any]:
    return [candidate.key, candidate.graph_digest, plain(candidate.decision), candidate.variant]
