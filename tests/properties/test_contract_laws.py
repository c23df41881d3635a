"""Laws of what customers hold: spans never overlap, the past stays, a change and back changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from modelmint.commerce.billing import contracts
from modelmint.commerce.billing.contracts import ACTIVE, PAUSED, Edits
from modelmint.commerce.offers import API, FILE, changes, on_sale
from modelmint.commerce.types import Offer, Plan, Subscription

START = datetime(2026, 11, 1, tzinfo=UTC)
PLANS = ["a", "b", "c"]
#: Hours that go by before a wish, what is wished, hours until it is to happen, the plan.
wishes = st.tuples(
    st.integers(0, 500),
    st.sampled_from(["change", "cancel", "pause", "resume", "keep"]),
    st.just(0) | st.integers(0, 1500),
    st.sampled_from(PLANS),
)


def applied(spans: list[Subscription], edits: Edits) -> list[Subscription]:
    ends = dict(edits.ends)
    found = [replace(span, ends_at=ends[span.id]) if span.id in ends else span for span in spans]
    if edits.begins is not None:
        name = f"sub_{len(found)}"
        found.append(replace(edits.begins, id=name, root=edits.begins.root or name))
    return found


def wish(spans: list[Subscription], what: str, now: datetime, at: datetime, plan: str) -> Edits:
    match what:
        case "change":
            return contracts.switch(spans, at, Subscription("", "cus", plan, "v1", at, None), 1)
        case "cancel":
            return contracts.switch(spans, at, None, 1)
        case "keep":
            return contracts.settled(spans, now, 1)
    return contracts.turn(spans, at, PAUSED if what == "pause" else ACTIVE)


@st.composite
def histories(draw: st.DrawFn) -> tuple[datetime, list[Subscription]]:
    """Now, and spans after up to ten wishes."""
    now, spans = START, list[Subscription]()
    for hours, what, ahead, plan in draw(st.lists(wishes, max_size=10)):
        now += timedelta(hours=hours)
        spans = applied(spans, wish(spans, what, now, now + timedelta(hours=ahead), plan))
    return now, spans


@given(histories())
def test_spans_never_overlap_and_only_the_last_has_no_end(history: tuple[datetime, list[Subscription]]) -> None:
    live = contracts.live(history[1])
    assert all(one.ends_at is not None and one.ends_at <= other.starts_at for one, other in pairwise(live))


@given(histories(), wishes)
def test_what_was_held_before_the_moment_stays(history: tuple[datetime, list[Subscription]], last: object) -> None:
    now, spans = history
    _, what, ahead, plan = last  # type: ignore[misc]
    at = now + timedelta(hours=ahead)
    after = applied(spans, wish(spans, what, now, at, plan))
    # Undoing what is planned counts from now on, everything else from its moment on.
    until = now if what == "keep" else at
    for hours in range(0, 6000, 7):
        moment = START + timedelta(hours=hours)
        if moment < until:
            one, other = contracts.held_at(spans, moment), contracts.held_at(after, moment)
            assert (one and (one.id, one.state)) == (other and (other.id, other.state))


@given(histories(), st.sampled_from(PLANS))
def test_a_change_holds_from_its_moment_on_for_good(history: tuple[datetime, list[Subscription]], plan: str) -> None:
    now, spans = history
    after = applied(spans, wish(spans, "change", now, now, plan))
    held = contracts.held_at(after, now)
    assert held is not None and (held.plan, held.state, held.ends_at) == (plan, ACTIVE, None)
    assert contracts.scheduled(after, now) == []


@given(histories(), st.sampled_from(PLANS))
def test_a_change_and_back_in_one_moment_leaves_what_was_held(
    history: tuple[datetime, list[Subscription]], plan: str
) -> None:
    now, spans = history
    before = contracts.held_at(spans, now)
    if before is None or before.state == PAUSED or before.starts_at == now:
        return
    there = applied(spans, wish(spans, "change", now, now, plan))
    back = applied(there, wish(there, "change", now, now, before.plan))
    held = contracts.held_at(back, now)
    assert held is not None and (held.id, held.root) == (before.id, before.root)


@given(histories())
def test_asking_twice_changes_nothing(history: tuple[datetime, list[Subscription]]) -> None:
    now, spans = history
    for what in ("change", "cancel", "pause", "resume", "keep"):
        once = applied(spans, wish(spans, what, now, now, "b"))
        assert not wish(once, what, now, now, "b")


@given(histories())
def test_whoever_takes_a_plan_up_again_in_a_period_goes_on_with_its_root(
    history: tuple[datetime, list[Subscription]],
) -> None:
    spans = contracts.live(history[1])
    for one in spans:
        for other in spans:
            near = one.starts_at < other.starts_at and one.plan == other.plan
            if near and one.ends_at is not None and one.ends_at > other.starts_at.replace(day=1, hour=0):
                assert one.root == other.root


@given(histories())
def test_what_is_planned_is_what_then_happens(history: tuple[datetime, list[Subscription]]) -> None:
    now, spans = history
    for planned in contracts.scheduled(spans, now):
        before, after = (
            contracts.held_at(spans, planned.at - timedelta.resolution),
            contracts.held_at(spans, planned.at),
        )
        match planned.what:
            case "cancel":
                assert before is not None and after is None
            case "subscribe":
                assert before is None and after is not None
            case "change":
                assert before and after and before.plan != after.plan
            case what:
                assert (
                    before
                    and after
                    and (before.plan, after.state) == (after.plan, PAUSED if what == "pause" else ACTIVE)
                )


def a_plan(name: str, version: str) -> Plan:
    return Plan(name, version, name, "USD", None, (), None, None, None, None)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 50),
            st.dictionaries(st.sampled_from(PLANS), st.tuples(st.sampled_from("123"), st.none() | st.integers(-5, 90))),
        ),
        max_size=6,
    )
)
def test_the_file_read_last_says_what_is_sold_whatever_was_planned_before(
    readings: list[tuple[int, dict[str, tuple[str, int | None]]]],
) -> None:
    """From a date on its terms are sold, before it what was sold when the file was read; what is left out never."""
    now, offers = START, list[Offer]()
    for days, stated in readings:
        now += timedelta(days=days)
        wanted = [a_plan(name, version) for name, (version, _) in stated.items()]
        dates = {name: now + timedelta(days=ahead) for name, (_, ahead) in stated.items() if ahead is not None}
        sold = on_sale(offers, now)
        offers += changes(offers, wanted, dates, FILE, now)
        assert changes(offers, wanted, dates, FILE, now) == []
        for ahead in range(100):
            moment = now + timedelta(days=ahead)
            terms = {
                name: v if name not in dates or dates[name] <= moment else sold.get(name)
                for name, (v, _) in stated.items()
            }
            assert on_sale(offers, moment) == {name: version for name, version in terms.items() if version is not None}


@given(st.lists(st.tuples(st.sampled_from(PLANS), st.sampled_from("123"), st.booleans()), max_size=8))
def test_plans_put_through_the_api_never_withdraw_another(puts: list[tuple[str, str, bool]]) -> None:
    now, offers, sold = START, list[Offer](), dict[str, str]()
    for name, version, by_file in puts:
        now += timedelta(days=1)
        if by_file:
            offers += changes(offers, [], {}, FILE, now)
        else:
            offers += changes(offers, [a_plan(name, version)], {}, API, now)
            sold[name] = version
        assert on_sale(offers, now) == sold
