"""The future of the hot path: a ``concurrent.futures.Future`` to whoever waits."""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from modelmint.store.pending import DONE, Pending, resolved


def test_a_result_is_what_was_set_and_an_exception_is_raised_as_it_was_set() -> None:
    good: Pending[int] = Pending()
    assert isinstance(good, Future) and not good.done() and good.running()
    good.set_result(7)
    assert (good.result(), good.result(0), good.exception(), good.done(), good.running()) == (7, 7, None, True, False)
    bad, problem = Pending[int](), ValueError("no")
    bad.set_exception(problem)
    assert bad.exception() is problem and bad.done()
    with pytest.raises(ValueError, match="no") as raised:
        bad.result()
    assert raised.value is problem


def test_what_is_noted_is_told_only_when_it_is_resolved() -> None:
    future: Pending[str] = Pending()
    future.value = "noted"
    assert not future.done()
    with pytest.raises(TimeoutError):
        future.result(timeout=0)
    future.resolve()
    assert future.result() == "noted"


@pytest.mark.parametrize("timeout", [0, 0.01, -1])
def test_who_waits_too_short_hears_a_timeout_and_may_wait_again(timeout: float) -> None:
    future: Pending[int] = Pending()
    with pytest.raises(TimeoutError):
        future.result(timeout)
    with pytest.raises(TimeoutError):
        future.exception(timeout)
    future.set_result(1)
    assert (future.result(timeout), future.exception(timeout)) == (1, None)


def test_the_first_end_stands() -> None:
    future: Pending[int] = Pending()
    future.value = 3
    future.resolve()
    future.fail(ValueError("late"))
    future.resolve()
    assert (future.result(), future.exception()) == (3, None)


def test_failing_forgets_what_was_noted() -> None:
    future: Pending[int] = Pending()
    future.value = 3
    future.fail(ValueError("nothing was stored"))
    assert vars(future)["value"] is None
    with pytest.raises(ValueError, match="nothing was stored"):
        future.result()


def test_a_reset_forgets_answer_and_problem_and_nobody_hears_of_them() -> None:
    future: Pending[int] = Pending()
    heard: list[int] = []
    future.add_done_callback(lambda done: heard.append(done.result()))
    future.value, future.problem = 1, ValueError("the first try")
    future.reset()
    noted = vars(future)
    assert (noted["value"], noted["problem"], future.done(), heard) == (None, None, False, [])
    future.value = 2
    future.resolve()
    assert (heard, future.result()) == ([2], 2)


def test_each_callback_is_called_once_whether_it_came_before_or_after_the_end() -> None:
    future: Pending[int] = Pending()
    heard: list[tuple[str, int]] = []
    future.add_done_callback(lambda done: heard.append(("first", done.result())))
    future.add_done_callback(lambda done: heard.append(("second", done.result())))
    future.set_result(5)
    future.add_done_callback(lambda done: heard.append(("late", done.result())))
    future.resolve()
    assert heard == [("first", 5), ("second", 5), ("late", 5)]


def test_a_callback_that_raises_is_logged_and_stops_neither_the_others_nor_who_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    future: Pending[int] = Pending()
    heard: list[int] = []

    def broken(done: Future[int]) -> None:
        raise KeyError("broken")

    waiting = threading.Thread(target=lambda: heard.append(future.result(60)))
    future.add_done_callback(broken)
    future.add_done_callback(lambda done: heard.append(done.result()))
    waiting.start()
    with caplog.at_level(logging.ERROR):
        future.set_result(9)
    waiting.join(60)
    future.add_done_callback(broken)
    assert heard == [9, 9]
    assert "exception calling callback" in caplog.text


def test_64_threads_that_wait_all_hear_it() -> None:
    future: Pending[int] = Pending()
    heard: list[int] = []
    ready = threading.Barrier(65)

    def wait() -> None:
        ready.wait(60)
        heard.append(future.result(60))

    threads = [threading.Thread(target=wait) for _ in range(64)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    future.set_result(11)
    for thread in threads:
        thread.join(60)
    assert heard == [11] * 64


def test_callbacks_that_race_with_the_end_are_each_called_exactly_once() -> None:
    for _ in range(200):
        future: Pending[int] = Pending()
        heard: list[int] = []
        ready = threading.Barrier(5)

        def add(number: int, future: Pending[int] = future, ready: threading.Barrier = ready) -> None:
            ready.wait(60)
            if number == 0:
                future.set_result(1)
                return
            for n in range(10):
                future.add_done_callback(lambda _, n=n: heard.append(number * 100 + n))  # type: ignore[misc]  # noqa: B023

        threads = [threading.Thread(target=add, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(heard) == [number * 100 + n for number in range(1, 5) for n in range(10)]


def test_nobody_can_cancel_it() -> None:
    future: Pending[int] = Pending()
    assert (future.cancel(), future.cancelled(), future.set_running_or_notify_cancel()) == (False, False, True)
    future.set_result(4)
    assert (future.cancel(), future.cancelled(), future.result()) == (False, False, 4)


def test_asyncio_waits_for_it_and_a_task_that_gives_up_does_not_disturb_it() -> None:
    async def play() -> list[int]:
        loop = asyncio.get_running_loop()
        good: Pending[int] = Pending()
        bad: Pending[int] = Pending()
        left: Pending[int] = Pending()
        eight: Pending[int] = resolved(8)
        given_up = asyncio.wrap_future(left)
        given_up.cancel()
        loop.run_in_executor(None, good.set_result, 3)
        loop.run_in_executor(None, bad.set_exception, ValueError("no"))
        loop.run_in_executor(None, left.set_result, 5)
        with pytest.raises(ValueError, match="no"):
            await asyncio.wrap_future(bad)
        return [await asyncio.wrap_future(good), left.result(60), await asyncio.wrap_future(eight)]

    with ThreadPoolExecutor() as threads:  # a browser's test may have left this one with a loop that runs
        assert threads.submit(asyncio.run, play()).result(60) == [3, 5, 8]


def test_what_is_resolved_already_says_so_at_once() -> None:
    heard: list[object] = []
    future = resolved("there")
    future.add_done_callback(lambda done: heard.append(done.result()))
    assert (future.done(), future.result(0), future.exception(0), heard) == (True, "there", None, ["there"])
    assert DONE.done() and DONE.result(0) is None
    assert (repr(future), repr(Pending[int]())) == ("<Pending done>", "<Pending open>")
