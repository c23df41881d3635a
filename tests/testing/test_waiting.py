from __future__ import annotations

import pytest

from modelmint.testing.waiting import eventually


def test_it_asks_until_the_answer_is_yes_and_not_once_more() -> None:
    answers = iter([0, [], None, "yes"])
    eventually(lambda: next(answers))
    assert list(answers) == []


def test_what_never_comes_to_hold_fails_with_what_is_told_then() -> None:
    with pytest.raises(AssertionError, match="the log"):
        eventually(lambda: False, 0.02, lambda: "the log")
