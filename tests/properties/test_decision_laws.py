"""Laws of encode, decode and the decision rule."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from modelmint.evaluation.calibrate import fit_decision
from modelmint.evaluation.judge import scorecard
from modelmint.kit.arrays import AnyArray
from modelmint.kit.errors import InvalidInput
from modelmint.tasks.decision import abstentions, probabilities
from modelmint.tasks.registry import TASKS
from modelmint.tasks.requests import payloads_from_json
from modelmint.tasks.types import ModelSpec

TASK = TASKS.get("image-classification")


def refusal(action: Callable[[], object]) -> InvalidInput | None:
    """What ``action`` refused with, None where it went well; anything but a refusal comes out."""
    try:
        action()
    except InvalidInput as error:
        return error
    return None


@st.composite
def scored(draw: st.DrawFn) -> tuple[AnyArray, AnyArray]:
    n, k = draw(st.integers(1, 40)), draw(st.integers(2, 5))
    targets = np.array(draw(st.lists(st.integers(0, k - 1), min_size=n, max_size=n)))
    logits = draw(hnp.arrays(np.float32, (n, k), elements=st.floats(-30, 30, width=32)))
    return targets, logits


@settings(max_examples=150, deadline=None)
@given(scored(), st.floats(0, 0.5), st.booleans())
def test_a_fitted_rule_always_decodes_and_judges_and_holds_back_no_more_than_asked(
    rows: tuple[AnyArray, AnyArray], abstain: float, with_positive: bool
) -> None:
    targets, logits = rows
    labels = tuple("abcde"[: logits.shape[1]])
    positive = labels[-1] if with_positive and len(labels) == 2 else None
    decision = fit_decision(targets, logits, labels, positive, abstain)
    found = TASK.decode(logits, ModelSpec("image-classification", {}, labels, decision))
    assert all(abs(sum(one.probabilities) - 1) < 1e-9 for one in found)
    held = abstentions(probabilities(logits, decision.temperature), labels, decision)
    assert [one.abstained for one in found] == held.tolist()
    card = scorecard(targets, logits, labels, decision, "val", resamples=20)
    assert card.metrics["abstained"].value * len(targets) <= abstain * len(targets) + 1e-6
    right = sum(one.label == labels[target] for one, target in zip(found, targets, strict=True))
    assert (
        card.metrics["accuracy"].value * len(targets) == right
        or abs(card.metrics["accuracy"].value - right / len(targets)) < 1e-12
    )


@settings(max_examples=100, deadline=None)
@given(scored(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_value(rows: tuple[AnyArray, AnyArray], random: object) -> None:
    targets, logits = rows
    labels = tuple("abcde"[: logits.shape[1]])
    order = np.arange(len(targets))
    random.shuffle(order)  # type: ignore[attr-defined]  # a random.Random
    decision = fit_decision(targets, logits, labels, None, 0.2)
    one = scorecard(targets, logits, labels, decision, "val", resamples=5)
    other = scorecard(targets[order], logits[order], labels, decision, "val", resamples=5)
    assert one.confusion == other.confusion
    for name, found in one.metrics.items():
        assert abs(found.value - other.metrics[name].value) < 1e-9


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.integers(1, 32), st.integers(0, 999))
def test_any_picture_encodes_to_finite_numbers_in_range(w: int, h: int, channels: int, size: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (h, w, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    found = TASK.encode([buffer.getvalue()], TASK.default_settings(image_size=size, channels=channels))
    assert found.shape == (1, channels, size, size)
    assert -1 - 1e-6 <= found.min() <= found.max() <= 1 + 1e-6


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_bytes_from_anywhere_are_a_picture_or_a_refusal(payload: bytes) -> None:
    found = refusal(lambda: TASK.encode([payload], {"image_size": 8}))
    assert found is None or found.details["input"] == 0


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5))
def test_payloads_come_back_from_json(payloads: list[bytes]) -> None:
    texts = [base64.b64encode(one).decode() for one in payloads]
    assert payloads_from_json(json.dumps({"images": texts}).encode(), 5) == payloads


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.text() | st.integers(),
            lambda inner: (
                st.lists(inner) | st.dictionaries(st.sampled_from(["image", "images", "inputs", "b64", "x"]), inner)
            ),
        ).map(lambda v: json.dumps(v).encode()),
    )
)
def test_any_body_is_payloads_or_a_refusal(body: bytes) -> None:
    found = refusal(lambda: payloads_from_json(body, 3))
    assert found is None or found.message
