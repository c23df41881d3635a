"""Suspected wrong labels of a venture's dataset, ranked by what its base model sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from modelmint.kit.errors import InvalidInput

if TYPE_CHECKING:
    from modelmint.data.reviews import Suspects
    from modelmint.data.version import DatasetVersion
    from modelmint.kit.progress import Progress
    from modelmint.venture.load import LoadedVenture


class NoSuchModel(InvalidInput):
    """A model is named that the venture does not have."""

    code = "no_such_model"


def ranked(
    venture: LoadedVenture, workspace: Path, dataset: DatasetVersion, model: str | None, progress: Progress
) -> Suspects:
    """Rank the training and validation rows and keep the ranking in the workspace; ``model`` is whose base looks.

    The first model where none is named. Raises ``NoSuchModel``, ``TooFewPictures``.
    """
    from modelmint.data.reviews import write_suspects
    from modelmint.workshop.suspects import find_suspects

    sections = venture.file.all_models()
    name = model or next(iter(sections))
    if name not in sections:
        raise NoSuchModel(f"the venture has no model {name!r}; it has: {', '.join(sections)}")
    found = find_suspects(dataset, sections[name], venture.folder, venture.file.data.max_pixels, progress)
    write_suspects(workspace, found)
    return found
