"""Modelmint: from labelled data to an API that people pay for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmint.kit.version import __version__

if TYPE_CHECKING:
    import os

    from modelmint.kit.progress import Progress
    from modelmint.sdk.venture import Venture

__all__ = ["__version__", "open"]


def open(path: str | os.PathLike[str] = ".", *, progress: Progress | None = None) -> Venture:  # noqa: A001 - as io.open
    """The venture at ``path`` (its folder, or its ``venture.toml``): build it, look at it, predict, serve.

    ``progress`` is where long work tells of itself; bars or lines on stderr if left out. Raises ``NoVentureHere``.
    """
    from modelmint.sdk.venture import open_venture

    return open_venture(path, progress)
