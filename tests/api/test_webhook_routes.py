"""Webhooks over HTTP: own endpoints only, secrets shown once, everything refused with a code."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelmint.api.app import Application, create_app
from modelmint.bootstrap import open_shop
from modelmint.commerce.webhooks.kinds import KINDS, NEEDS
from modelmint.kit.money import Money
from modelmint.testing.shops import Furnished, furnish

HOOK = {"url": "https://hooks.example.com/in"}


@pytest.fixture
def furnished(tmp_path: Path) -> Furnished:
    return furnish(tmp_path)


@pytest.fixture
def app(furnished: Furnished) -> Iterator[Application]:
    app = create_app(open_shop(furnished.root))
    yield app
    app.service.close()


def ask(app: Application, method: str, path: str, key: str = "", **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {key or app.service.admin_token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers) as http:
            return await http.request(method, path, **more)

    return asyncio.run(once())


def test_a_customer_adds_rotates_tries_and_removes_an_endpoint(app: Application, furnished: Furnished) -> None:
    key = furnished.secret
    added = ask(app, "POST", "/v1/webhooks", key, json={**HOOK, "kinds": ["invoice.paid"]})
    assert added.status_code == 201 and added.json()["secret"].startswith("whsec_")
    path = f"/v1/webhooks/{added.json()['id']}"
    rotated = ask(app, "POST", f"{path}/secret", key)
    assert rotated.json()["secret"] != added.json()["secret"]
    tried = ask(app, "POST", f"{path}/test", key)
    assert tried.status_code == 202
    (delivery,) = ask(app, "GET", "/v1/webhooks/deliveries?state=waiting", key).json()["deliveries"]
    assert delivery["message"] == tried.json()["message"]
    assert ask(app, "DELETE", path, key).json()["disabled_at"]
    (shown,) = ask(app, "GET", "/v1/webhooks", key).json()["webhooks"]
    assert "secret" not in shown and shown["owner"] == furnished.customer


def test_a_customer_does_not_see_the_founders_endpoints_and_the_founder_sees_all(
    app: Application, furnished: Furnished
) -> None:
    ours = ask(app, "POST", "/admin/v1/webhooks", json=HOOK).json()
    ask(app, "POST", "/v1/webhooks", furnished.secret, json=HOOK)
    assert len(ask(app, "GET", "/admin/v1/webhooks").json()["webhooks"]) == 2
    assert len(ask(app, "GET", "/v1/webhooks", furnished.secret).json()["webhooks"]) == 1
    for method, path in (("DELETE", ""), ("POST", "/secret"), ("POST", "/test")):
        refused = ask(app, method, f"/v1/webhooks/{ours['id']}{path}", furnished.secret)
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown_endpoint")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"url": "https://127.0.0.1/x"}, 403, "private_address"),
        ({"url": "http://hooks.example.com/x"}, 422, "bad_endpoint"),
        ({**HOOK, "kinds": ["plan.changed"]}, 422, "bad_endpoint"),
        ({**HOOK, "kinds": "all"}, 422, "bad_field"),
        ({}, 422, "bad_field"),
    ],
)
def test_what_cannot_be_an_endpoint_is_refused_and_not_stored(
    app: Application, furnished: Furnished, body: dict[str, Any], status: int, code: str
) -> None:
    refused = ask(app, "POST", "/v1/webhooks", furnished.secret, json=body)
    assert refused.json()["code"] == code
    assert refused.status_code == status
    assert ask(app, "GET", "/admin/v1/webhooks").json()["webhooks"] == []


def test_a_key_without_the_scope_keys_and_a_stranger_get_nothing(app: Application, furnished: Furnished) -> None:
    assert ask(app, "GET", "/v1/webhooks", "mm_nobody").status_code == 401
    assert ask(app, "GET", "/admin/v1/webhooks", furnished.secret).status_code == 401
    _, weak = app.service.shop.books.add_key(furnished.customer, "weak", scopes=("predict",))
    refused = ask(app, "POST", "/v1/webhooks", weak, json=HOOK)
    assert (refused.status_code, refused.json()["code"]) == (403, "key_lacks_scope")


def test_replaying_asks_for_a_moment_with_its_zone_and_a_message_that_exists(app: Application) -> None:
    for since in ("yesterday", "2026-11-10T12:00:00", ""):
        assert ask(app, "POST", "/admin/v1/messages/replay", json={"since": since}).status_code in (400, 422)
    assert ask(app, "POST", "/admin/v1/messages/replay", json={"since": "2026-11-10T12:00:00Z"}).json() == {
        "deliveries": 0
    }
    assert ask(app, "POST", "/admin/v1/messages/msg_x/replay").json()["code"] == "unknown_message"
    for query in ("limit=0", "limit=5000", "limit=x", "state=lost"):
        assert ask(app, "GET", f"/admin/v1/webhooks/deliveries?{query}").json()["code"] == "bad_field"


def test_a_key_makes_nobody_hear_what_it_may_not_read(app: Application, furnished: Furnished) -> None:
    books = app.service.shop.books
    _, narrow = books.add_key(furnished.customer, "narrow", ["keys", "predict"])
    for kind in ("invoice.finalised", "payment.succeeded", "credit.granted", "subscription.changed"):
        for kinds in ([kind], ["*", kind]):
            refused = ask(app, "POST", "/v1/webhooks", narrow, json={**HOOK, "kinds": kinds})
            assert (refused.status_code, refused.json()["code"]) == (403, "key_lacks_scope"), kinds
            assert refused.json()["needed"] == "invoices"
    assert books.outbox.endpoints() == []


@pytest.mark.parametrize("kinds", [{}, {"kinds": []}, {"kinds": ["*"]}])
def test_all_kinds_are_all_that_the_key_may_read(app: Application, furnished: Furnished, kinds: dict[str, Any]) -> None:
    books = app.service.shop.books
    _, narrow = books.add_key(furnished.customer, "narrow", ["keys"])
    assert ask(app, "POST", "/v1/webhooks", narrow, json={**HOOK, **kinds}).json()["kinds"] == ["key.alarm"]
    assert ask(app, "POST", "/v1/webhooks", furnished.secret, json={**HOOK, **kinds}).json()["kinds"] == ["*"]
    books.credits.grant(furnished.customer, Money(500, "USD"))
    books.outbox.dispatch()
    heard = {one.endpoint for one in books.outbox.deliveries()}
    assert heard == {one.id for one in books.outbox.endpoints() if one.kinds == ("*",)}


def test_every_kind_that_customers_hear_needs_a_scope() -> None:
    assert set(NEEDS) == {kind for kind, for_customers in KINDS.items() if for_customers}
