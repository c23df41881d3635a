"""One served model: batches that grow with the queue, isolation of bad inputs, a bounded queue."""

from __future__ import annotations

import threading
import time

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
from modelmint.testing.lanes import POISON, SPEC, BrightnessEngine, lane_of, submit
from modelmint.testing.pictures import picture


def labels(call: Call) -> list[str]:
    return [prediction.label for prediction in call.future.result(timeout=10).predictions]


def hold(engine: BrightnessEngine, lane: Lane) -> list[Call]:
    """Occupy both runners: one in the engine, one waiting for its turn."""
    engine.go_on.clear()
    first = [submit(lane, 200)]
    assert engine.running.wait(10)
    first.append(submit(lane, 200))
    deadline = time.monotonic() + 10
    while lane.figures().waiting and time.monotonic() < deadline:
        time.sleep(0.001)
    return first


def test_a_lone_call_runs_at_once_and_alone() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        assert labels(submit(lane, 250)) == ["bright"]
        answer = submit(lane, 5).future.result(timeout=10)
    assert engine.sizes == [1, 1]
    assert (answer.release, answer.variant, answer.use, answer.labels) == (
        "r" * 64,
        "default",
        "for tests",
        SPEC.labels,
    )
    assert answer.predictions[0].label == "dark"
    assert 0 < answer.compute_ms < 1000


def test_an_answer_says_how_many_pixels_were_sent_for_it_and_not_for_its_neighbours_in_the_batch() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        held = hold(engine, lane)
        calls = [submit(lane, 200), submit(lane, 200, 5)]
        engine.go_on.set()
        found = [call.future.result(timeout=10).pixels for call in [*held, *calls]]
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
            calls[1].future.result(timeout=10)
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
            bad.future.result(timeout=10)
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
            submit(lane, 255).future.result(timeout=10)
        assert labels(submit(lane, 3)) == ["dark"]


def test_an_engine_that_mixes_up_rows_fails_the_call() -> None:
    class ShortEngine(BrightnessEngine):
        def run(self, batch: AnyArray) -> AnyArray:
            return super().run(batch)[:-1]

    with lane_of(ShortEngine()) as lane, pytest.raises(EngineFailed):
        submit(lane, 1, 2).future.result(timeout=10)


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
            gone.future.result(timeout=10)
    assert sum(engine.sizes) == 3


def test_closing_answers_what_waits_refuses_what_comes_and_closes_the_engine() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        hold(engine, lane)
        waiting = [submit(lane, 250) for _ in range(5)]
        closing = threading.Thread(target=lane.close)
        closing.start()
        time.sleep(0.05)
        assert lane.submit(Call([picture(1)], None)) is False
        engine.go_on.set()
        closing.join(timeout=10)
        assert [labels(call) for call in waiting] == [["bright"]] * 5
    assert engine.closed


def test_compute_is_cpu_time_and_the_batch_is_shared_by_items() -> None:
    class BusyEngine(BrightnessEngine):
        def run(self, batch: AnyArray) -> AnyArray:
            found = super().run(batch)
            end = time.thread_time() + 0.02
            while time.thread_time() < end:
                pass
            time.sleep(0.05)  # waiting is not computing
            return found

    engine = BusyEngine()
    with lane_of(engine) as lane:
        hold(engine, lane)
        one, three = submit(lane, 200), submit(lane, 1, 2, 3)
        engine.go_on.set()
        alone = one.future.result(timeout=10).compute_ms
        shared = three.future.result(timeout=10).compute_ms
    assert 4 < alone < 12  # a quarter of 20 ms, and its own decoding
    assert 14 < shared < 30


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
    spinning.wait()
    assert new_helpers(before) == frozenset()  # Python's own threads are not an engine's
    assert helper.native_id is not None
    clock = WorkClock(frozenset({helper.native_id}), 1)
    began, own = clock.now(), time.thread_time()
    time.sleep(0.2)
    spent, own_spent = clock.now() - began, time.thread_time() - own
    stop.set()
    helper.join()
    assert spent > own_spent + 0.02
    clock.now()  # a thread that ended is passed over


def test_items_and_batches_are_counted() -> None:
    engine = BrightnessEngine()
    with lane_of(engine) as lane:
        for levels in ((1, 2), (3,)):
            labels(submit(lane, *levels))
        figures = lane.figures()
    assert (figures.batches, figures.items, figures.waiting) == (2, 3, 0)
    assert figures.cpu_seconds > 0
