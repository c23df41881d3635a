"""sha256 of bytes, files, values and source files: how the house names content."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from modelmint.kit.canonical import canonical_json


def digest_bytes(content: bytes) -> str:
    """Lower-case hex sha256 (64 characters) of ``content``."""
    return hashlib.sha256(content).hexdigest()


def digest_file(path: Path) -> str:
    """sha256 of a file's bytes, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_value(value: Any) -> str:
    """sha256 of the canonical JSON of ``value``."""
    return digest_bytes(canonical_json(value))


def digest_package(*packages: Path) -> str:
    """Digest of every ``.py`` file below the given package folders (or of the single files given)."""
    found: dict[str, str] = {}
    for package in packages:
        files = sorted(package.rglob("*.py")) if package.is_dir() else [package]
        for file in files:
            found[f"{package.name}/{file.relative_to(package).as_posix()}"] = digest_file(file)
    return digest_value(found)
