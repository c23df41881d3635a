"""The customers who pay nothing: their plans are theirs alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelmint.bootstrap import open_shop
from modelmint.commerce.errors import UnknownPlan
from modelmint.operations.house import HOUSE_PLAN, VISITORS, VISITORS_PLAN, house, visitors
from modelmint.testing.shops import furnish
from modelmint.testing.ventures import venture_text


def test_the_plans_of_the_house_are_never_on_sale_not_even_while_they_are_taken(tmp_path: Path) -> None:
    furnished = furnish(tmp_path)
    with open_shop(tmp_path) as shop:
        house(shop.books)
        visitors(shop.books, 10)
        offered = {note.subject for note in shop.books.people.audit() if note.action == "plan.offered"}
        assert offered == {"trial", "payg", "clinic"}
        for plan in (HOUSE_PLAN, VISITORS_PLAN):
            with pytest.raises(UnknownPlan):
                shop.books.contracts.change(furnished.customer, plan, own=True)


def test_a_founders_plan_of_the_same_name_is_sold_beside_that_of_the_house(tmp_path: Path) -> None:
    venture = venture_text().replace("[plans.payg]", f"[plans.{VISITORS_PLAN}]")
    furnished = furnish(tmp_path, plan=VISITORS_PLAN, venture=venture)
    with open_shop(tmp_path) as shop:
        visitors(shop.books, 10)
        own, theirs = (shop.books.contracts.current(one) for one in (furnished.customer, VISITORS))
        assert own is not None and theirs is not None and own.plan_version != theirs.plan_version
        assert shop.books.plan(VISITORS_PLAN).version == own.plan_version  # what is on sale costs what it did
        assert shop.books.plan(VISITORS_PLAN, theirs.plan_version).max_calls == 310
