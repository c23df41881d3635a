"""Explained calls in a lane: beside the plain ones, bounded, and dropped when nobody waits for them."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from modelmint.kit.arrays import AnyArray
from modelmint.serving.call import Call
from modelmint.serving.errors import ClientGone, EngineFailed, Overloaded, TooManyExplanations
from modelmint.serving.explaining import MAX_CALLS, MAX_ITEMS
from modelmint.serving.host import ModelHost
from modelmint.serving.lane import Lane
from modelmint.serving.types import HostLimits, Target
from modelmint.tasks.errors import BadTensor, EmptyInput
from modelmint.testing.lanes import BrightnessEngine, lane_of, submit
from modelmint.testing.pictures import picture
from modelmint.testing.releases import brightness_release


def explained(lane: Lane, *levels: int, **more: object) -> Call:
    call = Call([picture(level) for level in levels], None, explain=True)
    for name, value in more.items():
        setattr(call, name, value)
    assert lane.submit(call)
    return call


class SlowEngine(BrightnessEngine):
    """Takes a millisecond of CPU a row, as a real network would."""

    def __init__(self, seconds: float = 0.001) -> None:
        super().__init__()
        self.seconds = seconds

    def run(self, batch: AnyArray) -> AnyArray:
        found = super().run(batch)
        end = time.thread_time() + self.seconds * len(batch)
        while time.thread_time() < end:
            pass
        return found


def test_each_item_of_an_explained_call_has_its_own_explanation_and_its_time_is_in_compute() -> None:
    engine = SlowEngine()
    with lane_of(engine) as lane:
        plain = submit(lane, 250).future.result(timeout=60)
        answer = explained(lane, 250, 5).future.result(timeout=60)
    assert plain.explanations is None
    assert answer.explanations is not None
    assert [one.label for one in answer.explanations] == ["bright", "dark"]
    assert [one.grid for one in answer.explanations] == [(4, 4), (4, 4)]  # the model's pictures have 4 x 4 pixels
    assert [one.passes for one in answer.explanations] == [16, 16]
    assert all(one.png is not None and one.png.startswith(b"\x89PNG") for one in answer.explanations)
    spent = sum(one.ms for one in answer.explanations)
    assert 32 <= spent < answer.compute_ms
    assert sum(engine.sizes) == 1 + 2 + 2 * 16  # the plain call's row, the two answers, and the passes
    assert max(engine.sizes) <= 8  # never more rows at one go than a plain call should wait for


def test_plain_calls_are_answered_while_an_explanation_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelmint.serving.explaining._STEP_BACK", 0.1)  # a busy machine may wake a runner late
    explaining, sent = threading.Event(), threading.Event()

    class Explaining(BrightnessEngine):
        def run(self, batch: AnyArray) -> AnyArray:
            if len(self.sizes) == 2:  # the answers are given, the first of 16 goes is done
                explaining.set()
                assert sent.wait(60)
            return super().run(batch)

    engine = Explaining()
    with lane_of(engine) as lane:
        slow = explained(lane, *[200] * MAX_ITEMS)
        assert explaining.wait(60)
        plain = submit(lane, 250)
        sent.set()
        assert plain.future.result(timeout=60).explanations is None
        assert slow.future.result(timeout=60).explanations
    assert sorted(engine.sizes) == [1] + [8] * 17
    assert engine.sizes[-1] == 8, "the plain call waited for the whole explanation"


def test_a_call_with_too_many_items_or_one_too_many_calls_is_refused_and_plain_ones_are_not() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        with pytest.raises(TooManyExplanations, match="at most 8"):
            lane.submit(Call([picture(1)] * (MAX_ITEMS + 1), None, explain=True))
        engine.go_on.clear()
        waiting = [explained(lane, 200) for _ in range(MAX_CALLS)]
        with pytest.raises(Overloaded, match="explanations") as caught:
            lane.submit(Call([picture(1)], None, explain=True))
        assert caught.value.retry_after is not None
        plain = submit(lane, 1)
        engine.go_on.set()
        assert plain.future.result(timeout=60).explanations is None
        assert all(call.future.result(timeout=60).explanations for call in waiting)
        assert explained(lane, 200).future.result(timeout=60).explanations


def test_an_explanation_stops_as_soon_as_its_caller_hangs_up() -> None:
    engine = SlowEngine()
    asked: list[int] = []

    def wanted() -> bool:
        asked.append(1)
        return len(asked) <= 3

    with lane_of(engine) as lane:
        gone = Call([picture(200)] * MAX_ITEMS, wanted, explain=True)
        assert lane.submit(gone)
        with pytest.raises(ClientGone):
            gone.future.result(timeout=60)
        assert explained(lane, 3).future.result(timeout=60).explanations
    assert sum(engine.sizes) < 60


def test_an_engine_that_breaks_on_a_painted_picture_fails_that_call_alone() -> None:
    class Touchy(BrightnessEngine):
        def run(self, batch: AnyArray) -> AnyArray:
            found = super().run(batch)
            if len(batch) > 1:
                found[:] = np.nan
            return found

    with lane_of(Touchy()) as lane:
        with pytest.raises(EngineFailed, match="not billed"):
            explained(lane, 200).future.result(timeout=60)
        assert submit(lane, 250).future.result(timeout=60).predictions[0].label == "bright"


def test_closing_finishes_the_explanations_that_wait() -> None:
    engine = SlowEngine()
    with lane_of(engine) as lane:
        waiting = [explained(lane, 200) for _ in range(3)]
        closing = threading.Thread(target=lane.close)
        closing.start()
        assert all(call.future.result(timeout=60).explanations for call in waiting)
        closing.join(timeout=60)
    assert engine.closed


def tensor(*levels: float) -> AnyArray:
    return np.stack([np.full((1, 4, 4), level, dtype=np.float32) for level in levels])


def test_inputs_that_come_encoded_are_answered_like_the_pictures_they_stand_for() -> None:
    with lane_of(BrightnessEngine()) as lane:
        encoded = lane.task.encode([picture(250), picture(5)], lane.spec.settings)
        call = Call((), None, tensor=encoded, keep_outputs=True, explain=True)
        assert lane.submit(call)
        answer = call.future.result(timeout=60)
        pictures = submit(lane, 250, 5).future.result(timeout=60)
    assert answer.predictions == pictures.predictions
    assert answer.pixels == 2 * 4 * 4
    assert answer.outputs is not None
    assert answer.outputs.dtype == np.float32
    np.testing.assert_array_equal(
        answer.outputs, np.stack([[-4, 4], [4, -4]]) * np.abs(encoded.mean(axis=(1, 2, 3)))[:, None]
    )
    assert answer.explanations is not None
    assert len(answer.explanations) == 2
    assert pictures.outputs is None


@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        (tensor(1.0).astype(np.float64), BadTensor, "float32"),
        (tensor(1.0)[:, :, :3], BadTensor, r"\[n, 1, 4, 4\]"),
        (np.float32(3).reshape(()), BadTensor, "found \\[\\]"),
        (tensor(1.0)[:0], EmptyInput, "no rows"),
        (tensor(0.0, np.nan), BadTensor, "row 1"),
        (tensor(-np.inf), BadTensor, "row 0"),
        (tensor(2.0e38), BadTensor, "size the model was made for"),
    ],
    ids=["type", "side", "no-sides", "no-rows", "nan", "infinity", "overflow"],
)
def test_a_tensor_that_the_model_does_not_take_is_the_callers_fault(
    bad: AnyArray, error: type[Exception], says: str
) -> None:
    with lane_of(BrightnessEngine()) as lane:
        call = Call((), None, tensor=bad)
        assert lane.submit(call)
        with pytest.raises(error) as caught:
            call.future.result(timeout=60)
        assert re.search(says, str(caught.value))
        assert submit(lane, 250).future.result(timeout=60).predictions[0].label == "bright"


def test_the_host_passes_tensor_wish_and_outputs_on(tmp_path: Path) -> None:
    from modelmint.releases.shelf import Shelf

    release = brightness_release(tmp_path)
    host = ModelHost(Shelf(tmp_path), HostLimits())
    try:
        assert host.point([Target("brightness", release.id, "brightness", None)]) == {}
        bright = np.ones((1, 1, 8, 8), dtype=np.float32)
        answer = host.submit("brightness", (), tensor=bright, explain=True, keep_outputs=True).result(timeout=60)
        assert answer.outputs is not None
        np.testing.assert_allclose(answer.outputs, [[-4.0, 4.0]], rtol=1e-5)
        assert answer.explanations is not None
        assert answer.explanations[0].grid == (7, 7)
        assert answer.explanations[0].passes == 49
    finally:
        host.close()


def test_a_network_with_maps_of_its_own_is_run_once_for_them() -> None:
    class Mapped(BrightnessEngine):
        def cam(self, batch: AnyArray) -> AnyArray | None:
            self.sizes.append(-len(batch))
            return np.stack([-batch[:, 0], batch[:, 0]], axis=1)

    engine = Mapped()
    with lane_of(engine) as lane:
        answer = explained(lane, 250, 5).future.result(timeout=60)
    assert answer.explanations is not None
    assert [(one.kind, one.passes, one.label) for one in answer.explanations] == [
        ("cam", 1, "bright"),
        ("cam", 1, "dark"),
    ]
    assert engine.sizes == [2, -1, -1]  # no row is run again for its answer


def test_a_system_that_gives_no_thread_fails_that_call_and_the_next_is_explained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_more(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with lane_of(BrightnessEngine()) as lane:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", no_more)
            with pytest.raises(EngineFailed):
                explained(lane, 250).future.result(timeout=60)
        answer = explained(lane, 250).future.result(timeout=60)
    assert answer.explanations is not None and len(answer.explanations) == 1
