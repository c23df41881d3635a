"""What can go wrong when a venture is begun from a solution."""

from __future__ import annotations

from modelmint.kit.errors import InvalidInput, NotFound


class UnknownSolution(NotFound):
    """No solution carries this name."""

    code = "unknown_solution"


class BadAnswer(InvalidInput):
    """A name or an answer that the template cannot take."""

    code = "bad_answer"
