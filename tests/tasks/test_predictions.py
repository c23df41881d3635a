"""A prediction's name leads to its call, and the row beside it says what was answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmint.kit.ids import new_id
from modelmint.tasks.predictions import MOST_LABELS, Answered, answers_of, named, noted, prediction_of, shown

ANSWER = st.tuples(st.integers(0, MOST_LABELS - 1), st.floats(0, 1), st.booleans())


@given(st.lists(ANSWER, min_size=1, max_size=64))
def test_what_was_answered_is_read_back_input_by_input(answers: list[tuple[int, float, bool]]) -> None:
    call = new_id("call")
    prediction = prediction_of(call)
    note = noted(prediction, answers)
    assert shown(note) == prediction
    found = answers_of(note)
    assert [(one.label, one.abstained) for one in found] == [(label, held) for label, _, held in answers]
    assert all(abs(one.probability - p) <= 0.5 / 1023 + 1e-12 for one, (_, p, _) in zip(found, answers, strict=True))
    name = named(f"{prediction}.3")
    assert name is not None and (name.outcome, name.prediction, name.item) == (call, prediction, 3)


def test_a_release_with_more_labels_than_fit_keeps_the_name_alone() -> None:
    assert noted("prd_x", [(MOST_LABELS, 0.5, False)]) == "prd_x"
    assert answers_of("prd_x") == []
    assert answers_of(noted("prd_x", [(MOST_LABELS - 1, 1.0, True)])) == [Answered(MOST_LABELS - 1, 1.0, True)]


@pytest.mark.parametrize(
    "text", ["", "prd_", "call_" + "0" * 24, "prd_" + "0" * 23, "prd_" + "0" * 24 + ".", "prd_" + "é" * 24]
)
def test_what_is_no_name_of_ours_names_nothing(text: str) -> None:
    assert named(text) is None
