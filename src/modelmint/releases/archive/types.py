"""The nouns of archives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in an archive."""

    #: Path inside the release, e.g. ``models/chest-xray/default/model.onnx``.
    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What the signature of an archive covers: the release, and every file in the order in which it follows."""

    release: str
    #: ``name``, ``purpose``, ... of the venture, as in the manifest; told before anything is unpacked.
    venture: Mapping[str, str]
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Sealed:
    """Contents with the key that vouches for them; the signature holds, whether the key is trusted is another thing."""

    contents: Contents
    #: base64 of the 32 raw bytes of the Ed25519 public key.
    public_key: str
    fingerprint: str
