"""The nouns of releases. A manifest is content: nothing in it is a time, a cost or a date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelmint.tasks.types import ModelSpec


@dataclass(frozen=True, slots=True)
class Variant:
    """One graph for sale: its file in the bundle and the recipe that made it."""

    #: Path in the bundle, e.g. ``models/chest-xray/default/model.onnx``.
    graph: str
    #: Recipe steps, as they stood in the venture.
    recipe: tuple[Mapping[str, Any], ...]
    #: float32 | int8
    precision: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ReleasedModel:
    """One model of the venture with its variants."""

    spec: ModelSpec
    variants: Mapping[str, Variant]
    default: str
    backbone: str
    #: How often the test split of this dataset version had been read by the judge, this reading included.
    test_reads: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a release is. Its id is the sha256 of this, canonical; ``files`` pins every content file."""

    schema: int
    venture: Mapping[str, str]
    models: Mapping[str, ReleasedModel]
    dataset: Mapping[str, Any]
    lineage: Mapping[str, Any]
    licences: Mapping[str, str]
    waivers: Mapping[str, str]
    #: Path in the bundle -> sha256, for every content file except manifest.json and statements/.
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Statement:
    """A signed, dated record about a release on a machine; kept beside the content, never in it."""

    #: cost | gates | timings | explanations
    kind: str
    release: str
    machine: str
    #: ISO 8601, UTC.
    made_at: str
    body: Mapping[str, Any]
    #: Ed25519 public key and signature over the canonical JSON of the other fields, base64.
    public_key: str = ""
    signature: str = ""

    def of(self, model: str) -> Mapping[str, Any]:
        """What ``body`` says of ``model``: of several it keeps them apart by name. {} where it does not speak of it."""
        several = self.body.get("models") if isinstance(self.body, Mapping) else {}
        said = several.get(model) if isinstance(several, Mapping) else self.body
        return said if isinstance(said, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Damage:
    """One file that is not what the manifest says."""

    path: str
    #: changed | missing | unexpected | bad_signature
    kind: str
    message: str = field(default="")
