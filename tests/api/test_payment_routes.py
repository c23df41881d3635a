"""Payments over HTTP: providers' webhooks, collecting, a page to pay on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from modelmint.api.app import Application, create_app
from modelmint.bootstrap import Shop, open_shop
from modelmint.commerce.payments.fake import FakeProvider
from modelmint.commerce.webhooks.signing import headers, new_secret
from modelmint.kit.clock import ManualClock
from modelmint.kit.digest import digest_bytes
from modelmint.kit.period import month_of
from modelmint.operations.collect import collect
from modelmint.testing.books import Caller
from modelmint.testing.shops import Furnished, furnish
from modelmint.testing.ventures import venture_text
from modelmint.testing.waiting import eventually

NOW = datetime.now(UTC)


@pytest.fixture
def furnished(tmp_path: Path) -> Furnished:
    text = venture_text("brightness") + '\n[billing]\nprovider = "fake"\n'
    return furnish(tmp_path, venture=text, clock=ManualClock(NOW))


@pytest.fixture
def app(furnished: Furnished) -> Iterator[Application]:
    app = create_app(open_shop(furnished.root, clock=ManualClock(NOW + timedelta(seconds=2))))
    yield app
    app.service.close()


def ask(app: Application, method: str, path: str, key: str = "", **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        more.setdefault("headers", {"Authorization": f"Bearer {key or app.service.admin_token}"})
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
            return await http.request(method, path, **more)

    return asyncio.run(once())


def bill(app: Application, furnished: Furnished) -> str:
    """An invoice of the furnished customer; its id."""
    shop = app.service.shop
    books, customer = shop.books, shop.books.customer(furnished.customer)
    caller = Caller(books, customer, books.key_by_digest(digest_bytes(furnished.secret.encode())), furnished.secret)
    caller.call(20)
    assert isinstance(shop.clock, ManualClock)
    shop.clock.advance(timedelta(seconds=1))
    (invoice,) = books.close_period(customer.id, month_of(books.now()), "", until_now=True)
    return invoice.id


def fake(shop: Shop) -> FakeProvider:
    assert isinstance(shop.provider, FakeProvider)
    return shop.provider


def test_a_webhook_is_taken_once_and_its_repetition_is_welcome_too(app: Application, furnished: Furnished) -> None:
    shop, invoice = app.service.shop, bill(app, furnished)
    collect(shop.books, shop.provider, invoice)
    answers = [
        ask(app, "POST", "/webhooks/fake", headers=given, content=body)
        for given, body in fake(shop).webhooks(shop.books.now())
    ]
    assert [(one.status_code, one.json()["new"]) for one in answers] == [(200, True), (200, False)]


def test_a_forged_webhook_is_refused_with_a_stable_code_and_pays_nothing(
    app: Application, furnished: Furnished
) -> None:
    shop, invoice = app.service.shop, bill(app, furnished)
    attempt = shop.books.payments.begin(invoice, "fake")
    body = json.dumps(
        {"id": "evt_1", "kind": "payment.succeeded", "attempt": attempt.id, "at": NOW.isoformat(), "minor": 40,
         "currency": "USD", "reason": "", "fee": 0}
    ).encode()  # fmt: skip
    signed = headers([new_secret()], "evt_1", int(shop.books.now().timestamp()), body)
    for given in (signed, {}, {"webhook-id": "x"}):
        refused = ask(app, "POST", "/webhooks/fake", headers=given, content=body)
        assert (refused.status_code, refused.json()["code"]) == (401, "forged_webhook")
    assert shop.books.payments.attempts()[0].state == "pending"


def test_only_the_ventures_own_provider_is_listened_to(app: Application) -> None:
    for name in ("stripe", "nobody"):
        refused = ask(app, "POST", f"/webhooks/{name}", content=b"{}")
        assert (refused.status_code, refused.json()["code"]) == (404, "unknown_payment_provider")


def test_a_webhook_too_large_to_be_one_is_not_read(app: Application) -> None:
    assert ask(app, "POST", "/webhooks/fake", content=b"x" * 300_000).status_code == 413


def test_the_founder_collects_and_sees_attempts(app: Application, furnished: Furnished) -> None:
    invoice = bill(app, furnished)
    made = ask(app, "POST", "/admin/v1/payments", json={})
    assert made.status_code == 201
    assert [(one["invoice"], one["state"]) for one in made.json()["payments"]] == [(invoice, "succeeded")]
    assert len(ask(app, "GET", f"/admin/v1/payments?invoice={invoice}").json()["payments"]) == 1
    again = ask(app, "POST", "/admin/v1/payments", json={"invoice": invoice})
    assert (again.status_code, again.json()["code"]) == (409, "nothing_due")
    assert ask(app, "POST", "/admin/v1/payments", furnished.secret, json={}).status_code == 401


def test_a_customer_pays_an_own_invoice_on_the_providers_page(app: Application, furnished: Furnished) -> None:
    invoice = bill(app, furnished)
    path = f"/v1/invoices/{invoice}/checkout"
    for url in ("javascript:alert(1)", "https://user:pw@x/"):
        refused = ask(app, "POST", path, furnished.secret, json={"success_url": url})
        assert refused.status_code == 422, url
    page = ask(app, "POST", path, furnished.secret, json={"success_url": "https://clinic.example/thanks"})
    assert page.status_code == 201 and page.json()["url"].startswith("https://pay.invalid/")
    again = ask(app, "POST", path, furnished.secret, json={"success_url": "https://clinic.example/thanks"})
    assert again.json()["code"] == "nothing_due"


def test_a_customer_cannot_open_a_page_for_anothers_invoice(app: Application, furnished: Furnished) -> None:
    invoice, books = bill(app, furnished), app.service.shop.books
    _, stranger = books.add_key(books.add_customer("Other", "").id, "k")
    refused = ask(app, "POST", f"/v1/invoices/{invoice}/checkout", stranger, json={"success_url": "https://x.example/"})
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_invoice")
    assert books.payments.attempts() == []


@pytest.mark.parametrize("name", ["id", "number"])
def test_anothers_invoice_is_answered_like_none_word_by_word(app: Application, furnished: Furnished, name: str) -> None:
    invoice, books = bill(app, furnished), app.service.shop.books
    wanted = invoice if name == "id" else str(books.invoice(invoice).number)
    nobodys = f"{invoice[:-1]}{'0' if invoice[-1] != '0' else '1'}" if name == "id" else "99"
    _, stranger = books.add_key(books.add_customer("Other", "").id, "k")
    for method, tail in (("GET", ""), ("GET", "?format=pdf"), ("POST", "/checkout")):
        told = [
            ask(app, method, f"/v1/invoices/{one}{tail}", stranger, json={"success_url": "https://x.example/"})
            .content.decode()
            .replace(repr(one), "?")
            for one in (wanted, nobodys)
        ]
        assert told[0] == told[1] and "unknown_invoice" in told[0]


def test_a_shop_without_a_provider_says_what_to_write(tmp_path: Path) -> None:
    bare = furnish(tmp_path / "bare")
    app = create_app(open_shop(bare.root))
    refused = ask(app, "POST", "/admin/v1/payments", json={})
    assert (refused.status_code, refused.json()["code"]) == (412, "no_payment_provider")
    assert "[billing] provider" in refused.json()["detail"]
    app.service.close()


def test_a_server_collects_by_itself(app: Application, furnished: Furnished) -> None:
    from modelmint.worker.schedule import start

    bill(app, furnished)
    stop = start(app.service.shop)
    eventually(app.service.shop.books.payments.attempts, 120)
    stop()
    assert [one.state for one in app.service.shop.books.payments.attempts()] == ["succeeded"]
