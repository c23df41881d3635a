"""Billing as surfaces ask for it: measured unit costs, defaults of the venture, closing by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from modelmint.bootstrap import Shop, open_shop
from modelmint.commerce.ledger.postings import balances
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import UnitPrice
from modelmint.kit.period import month_of
from modelmint.operations.billing import close_month, with_defaults
from modelmint.operations.unit_costs import unit_costs
from modelmint.releases import statements
from modelmint.testing.books import Caller
from modelmint.testing.shops import Furnished, furnish
from modelmint.worker.schedule import close_due, mind_credit

START = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def furnished(tmp_path: Path) -> Furnished:
    return furnish(tmp_path / "shop")


def say_cost(shop: Shop, text: str | None, currency: str = "USD", at: datetime = START) -> None:
    (release,) = shop.shelf.list()
    body = {"currency": currency, "exact": {"cost_per_1k": text}}
    statements.add(release, "cost", body, shop.workspace / "keys" / "sign.pem", "machine", ManualClock(at))


def billing_table(furnished: Furnished, text: str) -> None:
    file = furnished.root / "venture.toml"
    file.write_text(f"{file.read_text()}\n[billing]\n{text}\n")


def used(shop: Shop, name: str = "Clinic East") -> Caller:
    (release,) = shop.shelf.list()
    customer = with_defaults(shop.books, shop.books.add_customer(name, ""), shop.billing)
    shop.books.subscribe(customer.id, "payg")
    caller = Caller(shop.books, customer, *shop.books.add_key(customer.id, "first"))
    caller.settle(caller.reserve(100), release=release.id)
    return caller


def test_a_call_costs_what_the_newest_statement_with_a_figure_says(furnished: Furnished) -> None:
    with open_shop(furnished.root) as shop:
        (release,) = shop.shelf.list()
        assert unit_costs(shop.shelf) == {}
        for day, text in enumerate(("9", "0.0141", None)):
            say_cost(shop, text, at=START + timedelta(days=day))
        assert unit_costs(shop.shelf) == {release.id: UnitPrice(Decimal("0.0000141"), "USD")}


def test_a_statement_that_cannot_be_used_is_passed_over(furnished: Furnished) -> None:
    with open_shop(furnished.root) as shop:
        for text, currency in (("a lot", "USD"), ("1", "XYZ"), ("1e30", "USD"), ("-1", "USD"), ("NaN", "USD")):
            say_cost(shop, text, currency)
        assert unit_costs(shop.shelf) == {}


def test_an_invoice_books_what_its_calls_cost(furnished: Furnished) -> None:
    clock = ManualClock(START)
    with open_shop(furnished.root, clock=clock) as shop:
        say_cost(shop, "5")  # 0.005 a call
        caller = used(shop)
        clock.at = month_of(START).end
        close_month(shop.books, shop.shelf, caller.customer, month_of(START), shop.notice)
        assert balances(shop.books.ledger())["cost:machine", "USD"].minor == 50


def test_a_new_customer_pays_the_ventures_tax(furnished: Furnished) -> None:
    billing_table(furnished, 'tax_rate = "19 %"\ntax_name = "VAT"')
    with open_shop(furnished.root) as shop:
        customer = used(shop).customer
        assert (customer.tax_rate, customer.tax_name) == (Decimal("0.19"), "VAT")


@pytest.mark.parametrize(("mode", "closed"), [("auto", 1), ("manual", 0)])
def test_the_server_closes_what_has_ended_where_it_is_asked_to(furnished: Furnished, mode: str, closed: int) -> None:
    billing_table(furnished, f'close = "{mode}"')
    clock = ManualClock(START)
    with open_shop(furnished.root, clock=clock) as shop:
        used(shop)
        assert close_due(shop) == 0
        clock.at = month_of(START).end
        assert [close_due(shop), close_due(shop)] == [closed, 0]
        assert mind_credit(shop) == 0
