"""Keys watched: what quiet traffic never sets off, and what abuse does. Figures are simulated, seeds are fixed."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from modelmint.commerce.people.abuse import DAY, ERRORS, PAST_DAYS, RATE, Habit, is_above

#: (minute of the day, day) -> mean requests in that minute.
Shape = Callable[[int, int], float]
OFFICE: Shape = lambda minute, day: 4.0 if 480 <= minute < 1080 else 0.05  # noqa: E731
STEADY: Shape = lambda minute, day: 2.0  # noqa: E731
NIGHTLY: Shape = lambda minute, day: 40.0 if 120 <= minute < 135 else 0.0  # noqa: E731
GROWING: Shape = lambda minute, day: 1.0 * 1.05**day  # noqa: E731
QUIET: Shape = lambda minute, day: 0.01  # noqa: E731


def poisson(source: random.Random, mean: float) -> int:
    """By counting exponential waits; means are small."""
    count, left = -1, mean
    while left >= 0:
        count += 1
        left -= source.expovariate(1.0)
    return count


def false_alarms(shape: Shape, kind: str, days: int, seed: int, errors: float = 0.02) -> tuple[int, int]:
    """Alarms that began, and key-days judged; after a day in which nothing is judged."""
    source, habit, open_alarm, begun = random.Random(seed), Habit(), False, 0
    for minute in range(days * DAY):
        count = poisson(source, shape(minute % DAY, minute // DAY))
        refused = sum(source.random() < errors for _ in range(count))
        if count:
            habit.feed(minute, count, refused)
        if minute < DAY:
            continue
        verdict = habit.judge(minute)[kind]
        begun += verdict.begins and not open_alarm
        open_alarm = verdict.begins or (open_alarm and verdict.lasts)
    return begun, days - 1


@pytest.mark.parametrize("shape", [OFFICE, STEADY, NIGHTLY, GROWING, QUIET])
def test_traffic_that_is_like_itself_raises_no_alarm_in_forty_two_key_days_of_each_shape(shape: Shape) -> None:
    begun = judged = 0
    for seed in range(3):
        for kind in (RATE, ERRORS):
            found, days = false_alarms(shape, kind, 8, seed)
            begun, judged = begun + found, judged + days
    assert judged == 42
    assert begun == 0


def habit(days: int = 3, per_minute: int = 4, errors: int = 0) -> Habit:
    """The same every minute of ``days`` days."""
    made = Habit()
    for minute in range(days * DAY):
        made.feed(minute, per_minute, errors)
    return made


def test_three_times_the_usual_rate_raises_an_alarm_within_five_minutes() -> None:
    found = habit(per_minute=20)
    begun = None
    for minute in range(3 * DAY, 3 * DAY + 6):
        found.feed(minute, 70, 0)
        if begun is None and found.judge(minute)[RATE].begins:
            begun = minute - 3 * DAY
    assert begun is not None
    assert begun < 5


def test_a_stolen_key_that_was_hardly_used_is_told_from_sixty_requests_on() -> None:
    found = habit(per_minute=0)
    found.feed(3 * DAY - 1, 1, 0)
    for requests, begins in ((60, False), (61, True)):
        other = Habit()
        other.days.extend(found.days)
        other.feed(3 * DAY, requests, 0)
        assert other.judge(3 * DAY)[RATE].begins is begins


def test_a_rate_alarm_lasts_until_the_key_is_back_at_its_habit() -> None:
    found = habit(per_minute=20)
    found.feed(3 * DAY, 400, 0)
    assert found.judge(3 * DAY)[RATE].begins
    found.feed(3 * DAY + 5, 110, 0)
    assert (found.judge(3 * DAY + 5)[RATE].begins, found.judge(3 * DAY + 5)[RATE].lasts) == (False, True)
    assert not found.judge(3 * DAY + 20)[RATE].lasts


def test_a_key_in_its_first_day_is_not_judged_by_its_rate() -> None:
    found = Habit()
    found.feed(0, 100_000, 0)
    assert not found.judge(0)[RATE].begins


def test_one_attack_does_not_become_the_habit_and_two_days_of_growth_do() -> None:
    found = habit(per_minute=20)
    found.feed(3 * DAY + 60, 900, 0)
    found.feed(4 * DAY + 60, 900, 0)
    assert found.judge(4 * DAY + 60)[RATE].begins
    found.feed(5 * DAY + 60, 900, 0)
    assert not found.judge(5 * DAY + 60)[RATE].begins


def test_the_past_that_counts_is_a_week() -> None:
    found = habit(per_minute=20)
    late = (3 + PAST_DAYS) * DAY
    found.feed(late, 300, 0)
    assert found.judge(late)[RATE].data == {}


def test_half_of_the_requests_refused_are_an_alarm_and_a_few_are_not() -> None:
    for refused, begins in ((6, False), (20, False), (60, True)):
        found = habit(per_minute=2)
        found.feed(3 * DAY, 92, refused)  # 120 with those of the quarter of an hour before
        assert found.judge(3 * DAY)[ERRORS].begins is begins, refused


def test_a_key_whose_requests_are_always_half_refused_is_like_itself() -> None:
    found = habit(per_minute=4, errors=2)
    for minute in range(3 * DAY, 3 * DAY + 15):
        found.feed(minute, 4, 2)
    assert not found.judge(3 * DAY + 14)[ERRORS].begins


def test_few_requests_prove_nothing() -> None:
    found = habit(per_minute=0)
    found.feed(3 * DAY, 19, 19)
    assert not found.judge(3 * DAY)[ERRORS].begins
    found.feed(3 * DAY, 1, 1)
    assert found.judge(3 * DAY)[ERRORS].begins


def test_the_interval_agrees_with_wilsons_formula() -> None:
    for errors in range(51):
        for permille in (50, 200, 500):
            share, z = errors / 50, 4.0
            centre = (share + z * z / 100) / (1 + z * z / 50)
            half = z / (1 + z * z / 50) * ((share * (1 - share) + z * z / 200) / 50) ** 0.5
            assert is_above(errors, 50, permille, 16) == (centre - half > permille / 1000)
