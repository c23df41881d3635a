"""One served model: batches that grow with the queue, isolation of bad inputs, a bounded queue."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from modelmint.data.errors import NotAPicture
from modelmint.kit.arrays import AnyArray
from modelmint.serving.call import Call
from modelmint.serving.cpu import WorkClock, native_threads, new_helpers
from modelmint.serving.errors import ClientGone, EngineFailed, Overloaded
from modelmint.serving.lane import Lane
from modelmint.serving.types import Answer
from modelmint.tasks.types import Prediction
from modelmint.testing.lanes import POISON, SPEC, TASK, BrightnessEngine, lane_of, submit
from modelmint.testing.pictures import picture
from modelmint.testing.waiting import eventually


def labels(call: Call) -> list[str]:
    return [prediction.label for prediction in call.future.result(timeout=60).predictions]


def hold(engine: BrightnessEngine, lane: Lane) -> list[Call]:
    """Occupy both runners: one in the engine, one waiting for its turn."""
    engine.go_on.clear()
    first = [submit(lane, 200)]
    assert engine.running.wait(60)
    first.append(submit(lane, 200))
    eventually(lambda: not lane.figures().waiting)
    return first


def test_a_lone_call_runs_at_once_and_alone() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        bright, answer = (submit(lane, level).future.result(timeout=60) for level in (250, 5))
        spent = 1000 * lane.figures().cpu_seconds
    assert engine.sizes == [1, 1]
    assert bright.predictions[0].label == "bright"
    assert (answer.release, answer.variant, answer.use, answer.labels) == (
        "r" * 64,
        "default",
        "for tests",
        SPEC.labels,
    )
    assert answer.predictions[0].label == "dark"
    assert 0 < answer.compute_ms < spent
    assert bright.compute_ms + answer.compute_ms == pytest.approx(spent, abs=0.002)  # all of it is somebody's


def test_an_answer_says_how_many_pixels_were_sent_for_it_and_not_for_its_neighbours_in_the_batch() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        held = hold(engine, lane)
        calls = [submit(lane, 200), submit(lane, 200, 5)]
        engine.go_on.set()
        found = [call.future.result(timeout=60).pixels for call in [*held, *calls]]
    assert found == [256, 256, 256, 512]


def test_an_answer_abstained_where_all_of_its_predictions_did() -> None:
    sure, unsure = (Prediction("dark", 0.5, (0.5, 0.5), abstained) for abstained in (False, True))
    answers = [(unsure,), (unsure, unsure), (unsure, sure), (sure,)]
    found = [Answer(predictions, ("dark", "bright"), "r", "v", 0.1, "").state for predictions in answers]
    assert found == ["abstained", "abstained", "ok", "ok"]


def test_calls_that_queue_up_while_the_engine_works_share_the_next_batches_up_to_the_limit() -> None:
    engine = BrightnessEngine()
    with lane_of(engine, max_batch=8) as lane:
        held = hold(engine, lane)
        calls = [submit(lane, level) for level in range(0, 240, 12)]
        engine.go_on.set()
        found = [labels(call)[0] for call in calls]
        assert [labels(call) for call in held] == [["bright"], ["bright"]]
    assert found == ["dark"] * 11 + ["bright"] * 9
    assert sum(engine.sizes) == 22
    assert max(engine.sizes) == 8
    assert len(engine.sizes) <= 6


def test_a_call_with_more_inputs_than_a_batch_holds_is_answered_whole_and_in_order() -> None:
    engine = BrightnessEngine()
    with lane_of(engine, max_batch=4) as lane:
        found = labels(submit(lane, *[0, 255] * 5))
    assert found == ["dark", "bright"] * 5
    assert engine.sizes == [4, 4, 2]


def test_an_input_that_breaks_the_engine_fails_alone_and_its_neighbours_are_answered() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        hold(engine, lane)
        calls = [submit(lane, level) for level in (10, POISON, 250)]
        engine.go_on.set()
        assert labels(calls[0]) == ["dark"]
        assert labels(calls[2]) == ["bright"]
        with pytest.raises(EngineFailed, match="not billed"):
            calls[1].future.result(timeout=60)
        assert labels(submit(lane, 250)) == ["bright"]


def test_an_input_that_cannot_be_read_fails_alone_before_the_engine_sees_it() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        hold(engine, lane)
        bad = Call([picture(3), b"no picture"], None)
        assert lane.submit(bad)
        good = submit(lane, 250)
        engine.go_on.set()
        assert labels(good) == ["bright"]
        with pytest.raises(NotAPicture) as caught:
            bad.future.result(timeout=60)
    assert caught.value.details["input"] == 1
    assert sum(engine.sizes) == 3


def test_an_engine_that_gives_nan_fails_the_call_and_not_the_runner() -> None:
    class NanEngine(BrightnessEngine):
        def run(self, batch: AnyArray) -> AnyArray:
            found = super().run(batch)
            found[batch.mean(axis=(1, 2, 3)) > 0.9] = np.nan
            return found

    with lane_of(NanEngine()) as lane:
        with pytest.raises(EngineFailed):
            submit(lane, 255).future.result(timeout=60)
        assert labels(submit(lane, 3)) == ["dark"]


def test_an_engine_that_mixes_up_rows_fails_the_call() -> None:
    class ShortEngine(BrightnessEngine):
        def run(self, batch: AnyArray) -> AnyArray:
            return super().run(batch)[:-1]

    with lane_of(ShortEngine()) as lane, pytest.raises(EngineFailed):
        submit(lane, 1, 2).future.result(timeout=60)


def test_a_full_queue_refuses_at_once_and_says_when_to_come_back() -> None:
    engine = BrightnessEngine()
    with lane_of(engine, max_queue=3) as lane:
        hold(engine, lane)
        waiting = [submit(lane, 250) for _ in range(3)]
        assert lane.full()
        with pytest.raises(Overloaded) as caught:
            lane.submit(Call([picture(1)], None))
        assert caught.value.retry_after is not None
        assert 1 <= caught.value.retry_after <= 30
        engine.go_on.set()
        assert [labels(call) for call in waiting] == [["bright"]] * 3
        assert not lane.full()


def test_a_caller_that_hung_up_while_it_waited_costs_no_engine_time() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        hold(engine, lane)
        gone = submit(lane, 250, wanted=lambda: False)
        here = submit(lane, 250, wanted=lambda: True)
        engine.go_on.set()
        assert labels(here) == ["bright"]
        with pytest.raises(ClientGone):
            gone.future.result(timeout=60)
    assert sum(engine.sizes) == 3


def test_closing_answers_what_waits_refuses_what_comes_and_closes_the_engine() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        hold(engine, lane)
        waiting = [submit(lane, 250) for _ in range(5)]
        closing = threading.Thread(target=lane.close)
        closing.start()
        eventually(lambda: lane._closed)
        assert lane.submit(Call([picture(1)], None)) is False
        engine.go_on.set()
        closing.join(timeout=60)
        assert [labels(call) for call in waiting] == [["bright"]] * 5
    assert engine.closed


class Cpu:
    """CPU seconds that are spent by saying so, of each thread by itself."""

    def __init__(self) -> None:
        self.spent: Counter[int] = Counter()

    def work(self, milliseconds: int) -> None:
        self.spent[threading.get_ident()] += milliseconds

    def now(self) -> float:
        return self.spent[threading.get_ident()] / 1000


def test_compute_is_the_calls_own_decoding_and_its_items_share_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu = Cpu()

    class BusyEngine(BrightnessEngine):
        def run(self, batch: AnyArray) -> AnyArray:
            cpu.work(20)
            return super().run(batch)

    class BusyTask:
        def encode(self, payloads: Any, *more: Any) -> AnyArray:
            cpu.work(len(payloads))
            return TASK.encode(payloads, *more)

        def __getattr__(self, name: str) -> Any:
            return getattr(TASK, name)

    clocks = SimpleNamespace(thread_time=cpu.now, perf_counter=time.perf_counter)
    monkeypatch.setattr("modelmint.serving.lane.time", clocks)
    engine = BusyEngine()
    with lane_of(engine, clock=cpu) as lane:
        lane.task = BusyTask()  # type: ignore[assignment]  # what it does not say itself is the task's
        held = hold(engine, lane)
        one, three = submit(lane, 200), submit(lane, 1, 2, 3)
        engine.go_on.set()
        found = [call.future.result(timeout=60).compute_ms for call in (*held, one, three)]
        assert lane.figures().cpu_seconds == pytest.approx((20 + 1 + 20 + 1 + 20 + 4) / 1000)
    assert sorted(engine.sizes) == [1, 1, 4]
    assert found == [21, 21, 1 + 20 / 4, 3 + 20 * 3 / 4]


def test_waiting_is_not_computing() -> None:
    clock = WorkClock(frozenset(), 1)
    began = clock.now()
    time.sleep(0.3)
    assert clock.now() - began < 0.15


def test_helper_threads_are_seen_by_the_clock() -> None:
    before = native_threads()
    if not before:
        pytest.skip("the system does not list threads")
    stop, spinning = threading.Event(), threading.Event()

    def spin() -> None:
        spinning.set()
        while not stop.is_set():
            pass

    helper = threading.Thread(target=spin)
    helper.start()
    try:
        spinning.wait()
        assert new_helpers(before) == frozenset()  # Python's own threads are not an engine's
        assert helper.native_id is not None
        clock = WorkClock(frozenset({helper.native_id}), 1)
        began, own = clock.now(), time.thread_time()
        eventually(lambda: clock.now() - began > time.thread_time() - own + 0.02)
    finally:
        stop.set()
        helper.join()
    clock.now()  # a thread that ended is passed over


def test_items_and_batches_are_counted() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        for levels in ((1, 2), (3,)):
            labels(submit(lane, *levels))
        figures = lane.figures()
    assert (figures.batches, figures.items, figures.waiting) == (2, 3, 0)
    assert figures.cpu_seconds > 0
