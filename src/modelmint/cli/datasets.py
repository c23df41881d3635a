"""Finding the frozen dataset versions of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelmint.cli.errors import NothingBuilt

if TYPE_CHECKING:
    from modelmint.data.version import DatasetVersion


def frozen(workspace: Path, digest: str | None = None) -> DatasetVersion:
    """The dataset version with this digest, the one frozen last when none is named; raises ``NothingBuilt``."""
    from modelmint.data.version import DatasetVersion

    files = sorted((workspace / "steps" / "prepare").glob("*/dataset.json"), key=lambda file: file.stat().st_mtime)
    for file in reversed(files):
        version = DatasetVersion.open(file.parent)
        if digest is None or version.digest == digest:
            return version
    raise NothingBuilt(f"no frozen dataset in {workspace}; freeze it with: modelmint build")
