"""Build verb ``prepare``: the venture's data, frozen."""

from __future__ import annotations

from pathlib import Path

from modelmint.data.freeze import freeze
from modelmint.data.version import DatasetVersion
from modelmint.kit.progress import Progress, Silent
from modelmint.venture.sections.data import DataSection


def run(section: DataSection, root: Path, into: Path, progress: Progress | None = None) -> DatasetVersion:
    """Read, check, split and freeze the data into ``into``; raises what ``data`` raises, all problems at once."""
    return freeze(section, root, into, progress or Silent())
