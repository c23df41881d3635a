"""Invoices, credit and billing details over HTTP, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelmint.api.app import Application, create_app
from modelmint.bootstrap import open_shop
from modelmint.kit.clock import ManualClock, SystemClock
from modelmint.testing.books import Caller
from modelmint.testing.shops import Furnished, furnish


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return furnish(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def caller(furnished: Furnished) -> dict[str, str]:
    """A customer who made ten calls forty days ago."""
    clock = ManualClock(SystemClock().now() - timedelta(days=40))
    with open_shop(furnished.root, clock=clock) as shop:
        customer = shop.books.add_customer("Clinic East", "")
        shop.books.subscribe(customer.id, "payg")
        key, secret = shop.books.add_key(customer.id, "first")
        Caller(shop.books, customer, key, secret, furnished.model).call(10)
    return {"id": customer.id, "secret": secret}


@pytest.fixture(scope="module")
def app(furnished: Furnished, caller: dict[str, str]) -> Iterator[Application]:
    app = create_app(open_shop(furnished.root))
    yield app
    app.service.close()


@pytest.fixture(scope="module")
def token(furnished: Furnished, app: Application) -> str:
    return (Path(furnished.root) / ".modelmint" / "keys" / "admin.token").read_text().strip()


def ask(app: Application, method: str, path: str, secret: str, **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
            return await http.request(method, path, headers=headers, **more)

    return asyncio.run(once())


def test_credit_is_granted_by_the_founder_and_seen_by_its_customer(
    app: Application, token: str, caller: dict[str, str]
) -> None:
    path = f"/admin/v1/customers/{caller['id']}/credits"
    made = ask(app, "POST", path, token, json={"amount": "0.05 USD", "source": "promotion", "expires_at": "2090-01-01"})
    assert (made.status_code, made.json()["amount"]["minor"]) == (201, 5)
    seen = ask(app, "GET", "/v1/credits", caller["secret"]).json()
    assert seen == ask(app, "GET", path, token).json()
    assert (seen["balance"][0]["minor"], seen["grants"][0]["left"]["amount"]) == (5, "0.05")
    assert ask(app, "GET", path, caller["secret"]).status_code == 401  # a customer's key opens no founder's route


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"amount": "-1 USD"}, "bad_credit"),
        ({"amount": "1 XYZ"}, "bad_money"),
        ({"amount": "1 USD", "priority": 1.5}, "bad_field"),
        ({"amount": "1 USD", "expires_at": "yesterday"}, "bad_period"),
        ({"amount": "1 USD", "source": "thin air"}, "bad_credit"),
    ],
)
def test_credit_that_cannot_be_is_refused_with_a_stable_code(
    app: Application, token: str, caller: dict[str, str], body: dict[str, Any], code: str
) -> None:
    path = f"/admin/v1/customers/{caller['id']}/credits"
    before = ask(app, "GET", path, token).json()
    answer = ask(app, "POST", path, token, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert ask(app, "GET", path, token).json() == before


def test_billing_details_are_set_together_or_not_at_all(app: Application, token: str, caller: dict[str, str]) -> None:
    path = f"/admin/v1/customers/{caller['id']}"
    wrong = ask(app, "PATCH", path, token, json={"tax_rate": "200 %", "language": "fr", "tax_name": "VAT"})
    assert (wrong.status_code, len(wrong.json()["problems"])) == (422, 2)
    assert ask(app, "PATCH", path, token, json={"tax_rate": 0.19}).json()["code"] == "bad_field"
    assert ask(app, "PATCH", path, token, json={"taxrate": "19 %"}).json()["code"] == "bad_field"
    assert ask(app, "PATCH", path, token, json={"anchor": 7}).json()["code"] == "anchor_fixed"
    assert ask(app, "GET", path, token).json()["tax_name"] == ""
    found = ask(app, "PATCH", path, token, json={"tax_rate": "19 %", "tax_name": "VAT", "address": "A street\nA town"})
    assert (found.status_code, found.json()["tax_rate"], found.json()["address"]) == (200, "0.19", "A street\nA town")


def test_an_invoice_goes_from_closing_to_a_credit_note(app: Application, token: str, caller: dict[str, str]) -> None:
    made = ask(app, "POST", "/admin/v1/close", token)
    assert made.status_code == 201
    (invoice,) = [one for one in made.json()["invoices"] if one["customer"] == caller["id"]]
    assert ask(app, "POST", "/admin/v1/close", token).json() == {"invoices": [], "failed": []}
    one = f"/admin/v1/invoices/{invoice['id']}"
    shown = ask(app, "GET", one, token).json()
    assert (shown["status"], shown["owed"]["minor"]) == ("finalised", invoice["due"]["minor"])
    paid = ask(app, "POST", f"{one}/pay", token, json={"reference": "transfer 1"})
    assert (paid.status_code, paid.json()["status"], paid.json()["owed"]["minor"]) == (200, "paid", 0)
    assert ask(app, "POST", f"{one}/pay", token, json={"reference": "transfer 1"}).status_code == 200
    for verb, body in (("pay", {"reference": "2"}), ("void", {"reason": "x"}), ("uncollectible", {"reason": "x"})):
        refused = ask(app, "POST", f"{one}/{verb}", token, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "invoice_not_open")
    note = ask(app, "POST", f"{one}/credit-note", token, json={"reason": "outage", "lines": [1]})
    assert (note.status_code, note.json()["corrects"]) == (201, invoice["number"])
    twice = ask(app, "POST", f"{one}/credit-note", token, json={"reason": "outage", "lines": [1]})
    assert (twice.status_code, twice.json()["code"]) == (422, "bad_correction")
    assert ask(app, "GET", "/admin/v1/invoices?status=paid", token).json()["invoices"][0]["id"] == invoice["id"]
    assert ask(app, "GET", one, token).json()["credit_notes"] == [note.json()["number"]]
    assert ask(app, "GET", "/admin/v1/invoices/999", token).status_code == 404
    own = ask(app, "GET", "/v1/invoices", caller["secret"]).json()["invoices"]
    assert [(one["number"], one["status"]) for one in own] == [(1, "paid"), (2, "finalised")]


@pytest.mark.parametrize(
    ("path", "name"),
    [("/admin/v1/customers", "customers"), ("/admin/v1/keys", "keys"), ("/admin/v1/invoices", "invoices"),
     ("/v1/keys", "keys"), ("/v1/invoices", "invoices")],
)  # fmt: skip
def test_long_lists_come_in_pages_and_no_page_is_longer_than_asked(
    app: Application, token: str, caller: dict[str, str], path: str, name: str
) -> None:
    books = app.service.shop.books
    for number in range(3 - len(books.keys(caller["id"]))):
        books.add_key(caller["id"], f"more {number}")
    secret = token if path.startswith("/admin") else caller["secret"]
    whole = ask(app, "GET", path, secret).json()
    found, after = [], ""
    while after is not None:
        page = ask(app, "GET", path, secret, params={"limit": 1, "after": after}).json()
        assert len(page[name]) <= 1
        found, after = found + page[name], page["next"]
    assert (found, whole["next"]) == (whole[name], None)
    for wrong in ({"limit": "0"}, {"limit": "1001"}, {"after": "nowhere"}):
        assert ask(app, "GET", path, secret, params=wrong).status_code == 422
