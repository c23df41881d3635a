from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from modelmint.inference import measure
from modelmint.inference.errors import NothingToTime
from modelmint.inference.load import Moment, foreign_load
from modelmint.inference.measure import time_calls
from modelmint.kit.errors import InvalidInput


def burn(seconds: float) -> Callable[[], None]:
    """A call that takes so much CPU time of its thread, however busy the machine is."""

    def call() -> None:
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass

    return call


class Clocks:
    """Stand for the module ``time``: a call takes what it says it takes."""

    def __init__(self) -> None:
        self.wall = self.cpu = 100.0

    def perf_counter(self) -> float:
        return self.wall

    def process_time(self) -> float:
        return self.cpu

    def work(self, cpu_ms: float, waited_ms: float = 0) -> None:
        self.cpu += cpu_ms / 1000
        self.wall += (cpu_ms + waited_ms) / 1000


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr(measure, "time", made)
    return made


def test_a_call_of_twice_the_cpu_time_is_found_twice_as_dear(clocks: Clocks) -> None:
    calls = {"one": lambda: clocks.work(2), "two": lambda: clocks.work(4)}
    found = time_calls(calls, {"one": 1, "two": 2}, rounds=8, repeats=1)
    assert found["one"].cpu_ms.value == pytest.approx(2)
    assert found["two"].cpu_ms.value == pytest.approx(4)
    assert found["one"].cpu_ms.n == found["two"].cpu_ms.n == 8
    assert (found["one"].p50_ms.n, found["two"].p50_ms.n) == (8 * 20, 8 * 10)  # blocks of 40 ms
    assert (found["one"].threads, found["two"].threads) == (1, 2)


def test_a_block_is_as_long_as_the_least_of_the_warm_up_calls_allows_and_has_two_calls_at_least(clocks: Clocks) -> None:
    waits = iter([30, 0, 50])
    found = time_calls({"late": lambda: clocks.work(4, next(waits, 0))}, {}, rounds=3, warm_up=3, repeats=1)["late"]
    assert found.p50_ms.n == 3 * 10
    assert time_calls({"long": lambda: clocks.work(900)}, {}, rounds=3, repeats=1)["long"].p50_ms.n == 3 * 2
    assert time_calls({"short": lambda: clocks.work(0.01)}, {}, rounds=3, repeats=1)["short"].p50_ms.n == 3 * 200


def test_the_first_call_of_a_block_is_not_counted_and_waiting_costs_wall_time_alone(clocks: Clocks) -> None:
    times = iter(range(10**6))
    found = time_calls(
        {"x": lambda: clocks.work(*((100, 0) if next(times) % 11 == 0 else (4, 6)))}, {}, rounds=4, warm_up=0, repeats=1
    )["x"]
    assert found.p50_ms.n == 4 * 2  # by its one warm-up call, of 100 ms
    assert (found.cpu_ms.value, found.p50_ms.value) == (pytest.approx(4), pytest.approx(10))


def test_real_calls_have_estimates_inside_their_intervals() -> None:
    found = time_calls({"one": burn(0.002), "two": burn(0.004)}, {}, rounds=8, repeats=1)
    assert found["one"].cpu_ms.value >= 2
    assert found["two"].cpu_ms.value >= 4
    for timing in found.values():
        assert timing.p50_ms.n % 8 == 0
        for estimate in (timing.cpu_ms, timing.p50_ms, timing.p99_ms):
            assert estimate.low <= estimate.value <= estimate.high
        assert timing.p50_ms.value <= timing.p99_ms.value


def test_the_cpu_time_of_helper_threads_is_counted() -> None:
    def call() -> None:
        helpers = [threading.Thread(target=burn(0.003)) for _ in range(2)]
        for helper in helpers:
            helper.start()
        for helper in helpers:
            helper.join()

    found = time_calls({"helped": call}, {}, rounds=4, repeats=1)["helped"]
    assert found.cpu_ms.value >= 6


def test_sleeping_costs_wall_time_and_hardly_any_cpu_time() -> None:
    found = time_calls({"asleep": lambda: time.sleep(0.05)}, {}, rounds=4, repeats=1)["asleep"]
    assert found.p50_ms.value >= 50
    assert found.cpu_ms.value < found.p50_ms.value / 2


def test_candidates_take_turns_and_the_order_moves_on() -> None:
    seen: list[str] = []

    def call(name: str) -> Callable[[], None]:
        def mark() -> None:
            if not seen or seen[-1] != name:
                seen.append(name)
            time.sleep(0.03)

        return mark

    time_calls({name: call(name) for name in "abc"}, {}, rounds=3, warm_up=0, repeats=1)
    turns = "".join(seen)
    assert turns == "abc" + "abc" + "bca" + "cab"  # warming up once, then three rounds; neighbours that meet are one


def test_foreign_load_is_the_busy_time_that_was_not_ours() -> None:
    assert foreign_load(Moment(0, 10, 1), Moment(2, 13, 2)) == pytest.approx(1.0)
    assert foreign_load(Moment(0, 10, 1), Moment(2, 11, 2.5)) == 0.0
    assert foreign_load(Moment(5, 1, 1), Moment(5, 2, 1)) == 0.0


def _clocks(busy_per_span: list[float]) -> Callable[[], Moment]:
    """Moments one second apart; each pair encloses so much foreign busy time."""
    moments = []
    for index, busy in enumerate(busy_per_span):
        moments += [Moment(2 * index, 0, 0), Moment(2 * index + 1, busy, 0)]
    return iter(moments).__next__


def test_under_foreign_load_the_measurement_is_repeated_and_the_quietest_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "moment", _clocks([1.5, 0.7, 0.9]))
    found = time_calls({"x": burn(0.02)}, {}, rounds=1, repeats=3, load_limit=0.2, pause_seconds=0)["x"]
    assert found.load == 0.7
    assert found.disturbed


def test_a_quiet_repeat_ends_the_repeating_and_is_not_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "moment", _clocks([1.5, 0.1]))
    found = time_calls({"x": burn(0.02)}, {}, rounds=1, repeats=3, load_limit=0.2, pause_seconds=0)["x"]
    assert found.load == 0.1
    assert not found.disturbed


def test_real_foreign_load_is_seen() -> None:
    code = "print('begun', flush=True)\nwhile True: pass"
    helper = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert helper.stdout is not None
        assert helper.stdout.readline() == "begun\n"
        found = time_calls({"x": lambda: time.sleep(0.02)}, {}, rounds=20, repeats=1)["x"]
    finally:
        helper.kill()
        helper.communicate()
    assert found.load > 0.3
    assert found.disturbed


@pytest.mark.parametrize(("calls", "rounds"), [({}, 10), ({"x": lambda: None}, 0)])
def test_timing_nothing_is_refused(calls: dict[str, Callable[[], object]], rounds: int) -> None:
    with pytest.raises(NothingToTime) as caught:
        time_calls(calls, {}, rounds=rounds)
    assert isinstance(caught.value, InvalidInput)


def test_what_a_call_raises_comes_out() -> None:
    def broken() -> None:
        raise ArithmeticError("no")

    with pytest.raises(ArithmeticError):
        time_calls({"fine": lambda: None, "broken": broken}, {}, rounds=1)
