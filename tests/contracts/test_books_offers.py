"""What is on sale when, on both stores: dated terms, the file and the API beside each other, versions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from modelmint.commerce.errors import BadPlan, NoPlan, PlanInFile, UnknownPlan
from modelmint.commerce.offers import API
from modelmint.kit.clock import ManualClock
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

START = datetime(2026, 11, 11, tzinfo=UTC)
LATER = START + timedelta(days=10)
OLD, NEW = {"payg": {"per_call": "0.02 USD"}}, {"payg": {"per_call": "0.03 USD"}}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def price(books: SqlBooks, name: str = "payg") -> str:
    return str(books.plan(name).charges[0].tiers[0].price)


def admission_offers(books: SqlBooks) -> list[str]:
    """What a refused call is told to buy."""
    customer = books.add_customer(f"stranger {len(books.customers())}", "")
    stranger = Caller(books, customer, *books.add_key(customer.id, "default"))
    with pytest.raises(NoPlan) as caught:
        stranger.reserve()
    return list(caught.value.details["plans"])


def test_terms_with_a_date_wait_for_it_and_the_former_ones_stay_on_sale(books: SqlBooks, clock: ManualClock) -> None:
    books.put_plans(some_plans(OLD))
    books.put_plans(some_plans(NEW), {"payg": LATER})
    assert price(books) == "0.02 USD"
    clock.advance(timedelta(days=10) - timedelta(microseconds=1))
    assert price(books) == "0.02 USD"
    clock.advance(timedelta(microseconds=1))
    assert price(books) == "0.03 USD"


def test_a_plan_that_is_all_new_is_not_on_sale_before_its_date(books: SqlBooks, clock: ManualClock) -> None:
    books.put_plans(some_plans(NEW), {"payg": LATER})
    assert books.plans() == []
    assert admission_offers(books) == []
    clock.advance(timedelta(days=10))
    assert [plan.name for plan in books.plans()] == ["payg"]
    assert admission_offers(books) == ["payg"]


def test_admission_names_the_plans_that_are_on_sale_in_their_order(books: SqlBooks, clock: ManualClock) -> None:
    tables = {name: {"per_call": f"0.0{place + 1} USD"} for place, name in enumerate(["b", "a", "c"])}
    books.put_plans(some_plans(tables))
    books.put_plans(some_plans({name: tables[name] for name in ("b", "c")}), {"c": LATER})
    assert admission_offers(books) == [plan.name for plan in books.plans()] == ["b", "c"]
    books.put_plans(some_plans({"z": {"per_call": "1 USD"}}), {"z": LATER}, API)
    assert admission_offers(books) == ["b", "c"]
    clock.advance(timedelta(days=11))
    assert admission_offers(books) == [plan.name for plan in books.plans()] == ["b", "c", "z"]


@pytest.mark.parametrize("moved", [timedelta(days=-5), timedelta(days=5)])
def test_a_date_can_be_moved(books: SqlBooks, clock: ManualClock, moved: timedelta) -> None:
    books.put_plans(some_plans(OLD))
    books.put_plans(some_plans(NEW), {"payg": LATER})
    books.put_plans(some_plans(NEW), {"payg": LATER + moved})
    clock.advance(LATER + moved - clock.now() - timedelta(seconds=1))
    assert price(books) == "0.02 USD"
    clock.advance(timedelta(seconds=1))
    assert price(books) == "0.03 USD"
    clock.advance(timedelta(days=30))
    assert price(books) == "0.03 USD"


def test_a_planned_change_that_the_file_no_longer_states_does_not_happen(books: SqlBooks, clock: ManualClock) -> None:
    books.put_plans(some_plans(OLD))
    books.put_plans(some_plans(NEW), {"payg": LATER})
    books.put_plans(some_plans(OLD))
    clock.advance(timedelta(days=30))
    assert price(books) == "0.02 USD"


def test_stating_the_same_again_writes_nothing(books: SqlBooks, clock: ManualClock) -> None:
    for _ in range(3):
        books.put_plans(some_plans(OLD))
    for _ in range(3):
        books.put_plans(some_plans(NEW), {"payg": LATER})
    clock.advance(timedelta(days=30))
    books.put_plans(some_plans(NEW), {"payg": LATER})
    said = [entry for entry in books.people.audit() if entry.action.startswith("plan.")]
    assert len(said) == 2


def test_a_plan_put_through_the_api_is_not_withdrawn_by_the_file(books: SqlBooks) -> None:
    books.put_plans(some_plans(OLD))
    books.put_plans(some_plans({"special": {"monthly": "9 USD"}}), origin=API)
    books.put_plans(some_plans({"clinic": {"monthly": "49 USD"}}))
    assert [plan.name for plan in books.plans()] == ["special", "clinic"]


def test_a_name_that_the_file_states_is_changed_there_only(books: SqlBooks) -> None:
    books.put_plans(some_plans(OLD))
    with pytest.raises(PlanInFile):
        books.put_plans(some_plans(NEW), origin=API)
    with pytest.raises(PlanInFile):
        books.withdraw_plan("payg")
    assert price(books) == "0.02 USD"


def test_a_name_that_the_file_gave_up_is_free_for_the_api(books: SqlBooks) -> None:
    books.put_plans(some_plans(OLD))
    books.put_plans([])
    books.put_plans(some_plans(NEW), origin=API)
    books.put_plans([])
    assert price(books) == "0.03 USD"


def test_the_file_takes_over_a_name_that_it_begins_to_state(books: SqlBooks) -> None:
    books.put_plans(some_plans(NEW), origin=API)
    books.put_plans(some_plans(NEW))
    with pytest.raises(PlanInFile):
        books.put_plans(some_plans(OLD), origin=API)
    books.put_plans([])
    assert books.plans() == []


def test_a_withdrawn_plan_is_not_on_sale_and_what_was_planned_for_it_is_undone(
    books: SqlBooks, clock: ManualClock
) -> None:
    books.put_plans(some_plans(OLD), origin=API)
    books.put_plans(some_plans(NEW), {"payg": LATER}, API)
    books.withdraw_plan("payg")
    assert books.plans() == []
    clock.advance(timedelta(days=30))
    assert books.plans() == []
    with pytest.raises(UnknownPlan):
        books.withdraw_plan("payg")


def test_another_currency_beside_those_on_sale_is_refused_and_nothing_is_stored(books: SqlBooks) -> None:
    books.put_plans(some_plans(OLD))
    with pytest.raises(BadPlan, match="one venture, one currency"):
        books.put_plans(some_plans({"yen": {"monthly": "900 JPY"}}), origin=API)
    assert [version.plan.name for version in books.plan_versions()] == ["payg"]


def test_every_version_tells_when_it_is_on_sale_and_who_holds_it(books: SqlBooks, clock: ManualClock) -> None:
    books.put_plans(some_plans(OLD))
    who = a_caller(books, "payg").customer.id
    books.put_plans(some_plans(OLD))
    clock.advance(timedelta(days=1))
    books.put_plans(some_plans(NEW), {"payg": LATER})
    old, new = books.plan_versions("payg")
    assert (old.on_sale, old.effective_at, old.holders) == (True, None, 1)
    assert (new.on_sale, new.effective_at, new.holders) == (False, LATER, 0)
    clock.advance(timedelta(days=10))
    books.subscribe(who, "payg")
    old, new = books.plan_versions("payg")
    assert (old.on_sale, old.holders, new.on_sale, new.effective_at, new.holders) == (False, 0, True, None, 1)


def test_a_clock_that_goes_back_does_not_bring_former_terms_back(books: SqlBooks, clock: ManualClock) -> None:
    books.put_plans(some_plans(OLD))
    clock.advance(timedelta(days=-1))
    books.put_plans(some_plans(NEW))
    assert price(books) == "0.03 USD"
    clock.advance(timedelta(days=2))
    assert price(books) == "0.03 USD"
