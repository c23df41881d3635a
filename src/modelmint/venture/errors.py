"""What can be wrong with a venture file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from modelmint.kit.errors import InvalidInput, NotFound
from modelmint.venture.types import Problem


class VentureNotFound(NotFound):
    """There is no ``venture.toml`` where one was looked for."""

    code = "venture_not_found"


class InvalidVenture(InvalidInput):
    """``venture.toml`` has problems; ``found`` holds every one with its line, ``problems`` the same as text."""

    code = "invalid_venture"

    def __init__(self, path: Path, found: Sequence[Problem]) -> None:
        count = f"{len(found)} problem" + ("" if len(found) == 1 else "s")
        super().__init__(
            f"{path.name} has {count}; correct the lines named here ({path})",
            problems=[str(problem) for problem in found],
            details={
                "path": str(path),
                "problems": [
                    {"line": p.line, "path": p.path, "message": p.message, "suggestion": p.suggestion} for p in found
                ],
            },
        )
        self.found = tuple(found)


class VentureNotEdited(InvalidInput):
    """``venture.toml`` is written in a way that a verb cannot change without touching more than was asked."""

    code = "venture_not_edited"
