"""The nouns of this package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

#: Where a value stands: table names and keys, and places in arrays.
KeyPath: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in ``venture.toml``: where, what, and what was probably meant."""

    line: int
    path: str
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"line {self.line}: {self.path}: {self.message}{hint}"
