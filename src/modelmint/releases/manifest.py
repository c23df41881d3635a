"""Manifests to and from bytes. The bytes are canonical, so the sha256 of ``manifest.json`` is the release id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from modelmint.kit.canonical import canonical_json
from modelmint.kit.digest import digest_bytes
from modelmint.releases.errors import NewerSchema, UnreadableManifest, UnsafePath
from modelmint.releases.types import Manifest, ReleasedModel, Variant
from modelmint.tasks.types import DecisionRule, ModelSpec

#: The schema this version writes; older ones are read, newer ones are refused.
SCHEMA = 1
MANIFEST = "manifest.json"
STATEMENTS = "statements"
_HEX = frozenset("0123456789abcdef")


def manifest_bytes(manifest: Manifest) -> bytes:
    """The canonical bytes that lie in ``manifest.json``."""
    return canonical_json(manifest)


def release_id(manifest: Manifest) -> str:
    """sha256 of the canonical manifest, 64 hex characters."""
    return digest_bytes(manifest_bytes(manifest))


def is_digest(text: str) -> bool:
    """Whether ``text`` looks like a sha256 in lower-case hex."""
    return len(text) == 64 and set(text) <= _HEX


def safe_path(path: str) -> str:
    """``path`` when it stays inside a bundle and is no reserved name; raises ``UnsafePath`` otherwise."""
    parts = path.split("/")
    bad = (
        not path
        or path.startswith("/")
        or "\\" in path
        or any(ord(character) < 32 for character in path)
        or any(part in ("", ".", "..") for part in parts)
        or path == MANIFEST
        or parts[0] == STATEMENTS
        or PurePosixPath(path).as_posix() != path
    )
    if bad:
        raise UnsafePath(
            f"expected a path inside the release, like models/NAME/default/model.onnx; the manifest says {path!r}. "
            "Do not use this release: copy it again from a source you trust"
        )
    return path


def parse_manifest(content: bytes) -> Manifest:
    """A manifest from its bytes; raises ``UnreadableManifest``, ``NewerSchema`` or ``UnsafePath``."""
    try:
        raw = json.loads(content)
    except ValueError as error:
        raise UnreadableManifest(
            f"expected {MANIFEST} to hold one JSON object, found {len(content)} bytes that end or break early "
            f"({error}); copy the release again"
        ) from error
    if not isinstance(raw, dict) or not isinstance(raw.get("schema"), int):
        raise UnreadableManifest(f"expected {MANIFEST} to be an object with a whole number 'schema'; copy it again")
    if raw["schema"] > SCHEMA:
        raise NewerSchema(
            f"this release has schema {raw['schema']}, this Modelmint reads up to {SCHEMA}; update Modelmint to open it"
        )
    try:
        manifest = _manifest(raw)
        canonical = manifest_bytes(manifest)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UnreadableManifest(f"{MANIFEST} lacks or misstates {error}; copy the release again") from error
    if canonical != content:
        raise UnreadableManifest(
            f"{MANIFEST} is not in canonical form, so it was edited after the release was made; copy it again"
        )
    if not manifest.models:
        raise UnreadableManifest(f"expected {MANIFEST} to hold at least one model, found none; copy the release again")
    for path in manifest.files:
        safe_path(path)
    for model in manifest.models.values():
        for variant in model.variants.values():
            if variant.graph not in manifest.files:
                raise UnreadableManifest(f"{MANIFEST} names the graph {variant.graph!r} but pins no such file")
    return manifest


def _manifest(raw: Mapping[str, Any]) -> Manifest:
    return Manifest(
        schema=raw["schema"],
        venture=dict(raw["venture"]),
        models={name: _model(model) for name, model in raw["models"].items()},
        dataset=dict(raw["dataset"]),
        lineage=dict(raw["lineage"]),
        licences=dict(raw["licences"]),
        waivers=dict(raw["waivers"]),
        files={str(path): _digest(value) for path, value in raw["files"].items()},
    )


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not is_digest(value):
        raise ValueError(f"a sha256 (found {value!r})")
    return value


def _model(raw: Mapping[str, Any]) -> ReleasedModel:
    variants = {name: Variant(**{**item, "recipe": tuple(item["recipe"])}) for name, item in raw["variants"].items()}
    if raw["default"] not in variants:
        raise ValueError(f"default variant {raw['default']!r}")
    return ReleasedModel(**{**raw, "spec": spec_from(raw["spec"]), "variants": variants})


def spec_from(raw: Mapping[str, Any]) -> ModelSpec:
    """A ``ModelSpec`` from its plain JSON form."""
    decision = DecisionRule(**raw["decision"])
    return ModelSpec(**{**raw, "labels": tuple(raw["labels"]), "decision": decision})
