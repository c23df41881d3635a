"""The dataset of a session's venture; see ``sdk.datasets``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelmint.sdk.datasets import frozen

if TYPE_CHECKING:
    from modelmint.cli.session import Session
    from modelmint.data.version import DatasetVersion

__all__ = ["current", "frozen"]


def current(session: Session) -> DatasetVersion:
    """The venture's dataset as ``build`` would take it."""
    from modelmint.sdk.datasets import current as of_venture

    return of_venture(session.venture, session.found_workspace(), session.out.progress)
