"""Edge table: error category to exit code. The HTTP twin of this table lives in ``api``."""

from __future__ import annotations

from typing import Final

from modelmint.kit.errors import (
    Conflict,
    Corrupted,
    InvalidInput,
    LimitExceeded,
    ModelmintError,
    NotAllowed,
    NotFound,
    PreconditionFailed,
    Unavailable,
    category_of,
)

OK: Final = 0
#: Something that Modelmint does not raise on purpose.
UNEXPECTED: Final = 1
#: 128 + SIGINT, as shells have it.
INTERRUPTED: Final = 130
#: 128 + SIGPIPE: the reader of our output went away.
BROKEN_PIPE: Final = 141

EXIT_CODES: Final[dict[type[ModelmintError], int]] = {
    InvalidInput: 2,
    NotFound: 3,
    Conflict: 4,
    PreconditionFailed: 5,
    NotAllowed: 6,
    LimitExceeded: 7,
    Unavailable: 8,
    Corrupted: 9,
}


def exit_code(error: ModelmintError | type[ModelmintError]) -> int:
    """The exit code of an error's category; 1 for one that has none."""
    return EXIT_CODES.get(category_of(error), UNEXPECTED)
