"""The dataset of a venture: frozen now where that was not done yet, or found among the frozen ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelmint.sdk.errors import NothingBuilt

if TYPE_CHECKING:
    from modelmint.data.version import DatasetVersion
    from modelmint.kit.progress import Progress
    from modelmint.venture.load import LoadedVenture


def frozen(workspace: Path, digest: str) -> DatasetVersion:
    """The dataset version with this digest; raises ``NothingBuilt``."""
    from modelmint.data.version import find_frozen

    version = find_frozen(workspace, digest)
    if version is not None:
        return version
    raise NothingBuilt(f"no frozen dataset {digest[:12]} in {workspace}; freeze it with: modelmint build")


def current(venture: LoadedVenture, workspace: Path, progress: Progress) -> DatasetVersion:
    """The venture's dataset as ``build`` would take it: read, checked, split and frozen, or from the cache."""
    from modelmint.data.freeze import source_digest
    from modelmint.data.reviews import lay_shift
    from modelmint.data.version import DatasetVersion
    from modelmint.workshop import digests
    from modelmint.workshop.cache import StepCache, build_lock

    section, folder = venture.file.data, venture.folder

    def work(into: Path, _: str) -> Mapping[str, Any]:
        from modelmint.workshop.steps import prepare

        return {"dataset": prepare.run(section, folder, into, progress).digest}

    with build_lock(workspace):
        cache = StepCache(workspace / "steps", progress)
        source = source_digest(section, folder, workspace / "stamps.json")
        done = cache.run("prepare", digests.prepare(section, source), work)
        version = DatasetVersion.open(done.folder)
    lay_shift(workspace, version)
    return version
