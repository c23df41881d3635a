"""The error tree: one root, eight categories; leaves live in each package's ``errors.py``.

A category fixes the exit code (table in ``cli``) and the default HTTP status (table in ``api``).
A leaf is a class, a docstring and a stable ``code``; it may name a more exact HTTP ``status``.
Messages say what was expected, what was found and what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ModelmintError(Exception):
    """Root of everything Modelmint raises on purpose."""

    code: ClassVar[str] = "error"
    #: Exact HTTP status of a leaf, where the category's default is too coarse.
    status: ClassVar[int | None] = None

    def __init__(
        self,
        message: str,
        *,
        problems: Sequence[str] = (),
        details: Mapping[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        """``problems`` lists every single finding; ``details`` is JSON-safe and travels in problem+json.

        ``retry_after`` is in seconds, for errors that waiting can cure.
        """
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)
        self.details = dict(details or {})
        self.retry_after = retry_after

    def __str__(self) -> str:
        if not self.problems:
            return self.message
        return "\n".join([self.message, *(f"  - {problem}" for problem in self.problems)])


class InvalidInput(ModelmintError):
    """What was given cannot be understood or used."""

    code = "invalid_input"


class NotFound(ModelmintError):
    """The named thing does not exist."""

    code = "not_found"


class Conflict(ModelmintError):
    """The request contradicts the present state."""

    code = "conflict"


class PreconditionFailed(ModelmintError):
    """Something that must hold first does not (a gate failed, leakage, payment)."""

    code = "precondition_failed"


class NotAllowed(ModelmintError):
    """The caller may not do this."""

    code = "not_allowed"


class LimitExceeded(ModelmintError):
    """A rate, quota or size limit was reached."""

    code = "limit_exceeded"


class Unavailable(ModelmintError):
    """The service or a needed part is not there now."""

    code = "unavailable"


class Corrupted(ModelmintError):
    """Stored data is not what it was."""

    code = "corrupted"


CATEGORIES: tuple[type[ModelmintError], ...] = (
    InvalidInput,
    NotFound,
    Conflict,
    PreconditionFailed,
    NotAllowed,
    LimitExceeded,
    Unavailable,
    Corrupted,
)


def category_of(error: ModelmintError | type[ModelmintError]) -> type[ModelmintError]:
    """The category class an error belongs to; the root itself for an uncategorised one."""
    kind = error if isinstance(error, type) else type(error)
    for category in CATEGORIES:
        if issubclass(kind, category):
            return category
    return ModelmintError


class MissingExtra(Unavailable):
    """A command needs an optional extra that is not installed."""

    code = "missing_extra"

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(
            f"{needed_for} needs the extra '{extra}', which is not installed here. "
            f'Do: pip install "modelmint[{extra}]"',
            details={"extra": extra},
        )
