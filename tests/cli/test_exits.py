from __future__ import annotations

import pytest

from modelmint.cli.exits import EXIT_CODES, UNEXPECTED, exit_code
from modelmint.kit import errors


def test_every_category_has_its_own_exit_code_and_no_code_has_two() -> None:
    assert set(EXIT_CODES) == set(errors.CATEGORIES)
    assert sorted(EXIT_CODES.values()) == [2, 3, 4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("category", "code"),
    [
        (errors.InvalidInput, 2), (errors.NotFound, 3), (errors.Conflict, 4), (errors.PreconditionFailed, 5),
        (errors.NotAllowed, 6), (errors.LimitExceeded, 7), (errors.Unavailable, 8), (errors.Corrupted, 9),
    ],
)  # fmt: skip
def test_a_leaf_leaves_with_the_code_of_its_category(category: type[errors.ModelmintError], code: int) -> None:
    leaf = type("Leaf", (category,), {"code": "leaf"})
    assert exit_code(leaf("x")) == code


def test_an_error_outside_every_category_counts_as_unexpected() -> None:
    assert exit_code(errors.ModelmintError("x")) == UNEXPECTED == 1
