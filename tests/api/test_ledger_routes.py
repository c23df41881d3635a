"""Invoices as documents, and the ledger's proof, over HTTP in this process."""

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
from modelmint.kit.period import month_of
from modelmint.testing.books import Caller
from modelmint.testing.shops import Furnished, furnish

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return furnish(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def secrets(furnished: Furnished) -> dict[str, str]:
    """Two customers, each with one invoice over last month's calls."""
    clock = ManualClock(month_of(SystemClock().now()).start - timedelta(days=5))
    found = {}
    with open_shop(furnished.root, clock=clock) as shop:
        for name in (EVIL, "Clinic West"):
            customer = shop.books.add_customer(name, "")
            shop.books.subscribe(customer.id, "payg")
            key, found[name] = shop.books.add_key(customer.id, "first")
            Caller(shop.books, customer, key, found[name], furnished.model).call(10)
            shop.books.close_period(customer.id, month_of(clock.at), "not for clinical use", until_now=True)
            clock.advance(timedelta(hours=1))
    return found


@pytest.fixture(scope="module")
def app(furnished: Furnished, secrets: dict[str, str]) -> Iterator[Application]:
    app = create_app(open_shop(furnished.root))
    yield app
    app.service.close()


@pytest.fixture(scope="module")
def token(furnished: Furnished, app: Application) -> str:
    return (Path(furnished.root) / ".modelmint" / "keys" / "admin.token").read_text().strip()


def ask(app: Application, path: str, secret: str) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
            return await http.get(path, headers=headers)

    return asyncio.run(once())


def test_a_customer_reads_an_invoice_as_json_text_and_page(app: Application, secrets: dict[str, str]) -> None:
    told = ask(app, "/v1/invoices/1", secrets[EVIL])
    assert told.json()["number"] == 1
    text = ask(app, "/v1/invoices/1?format=text&lang=zh", secrets[EVIL])
    assert (text.headers["content-type"], text.text.splitlines()[0]) == ("text/plain; charset=utf-8", "账单 1")
    page = ask(app, "/v1/invoices/1?format=html&lang=zh", secrets[EVIL])
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "状态" in page.text


def test_an_invoice_is_sent_as_pdf(app: Application, secrets: dict[str, str], token: str, missing: Any) -> None:
    answer = ask(app, "/admin/v1/invoices/1?format=pdf", token)
    if answer.status_code == 503 and answer.json()["code"] == "missing_extra":
        missing("PDF needs weasyprint and Pango")
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")
    assert answer.headers["content-disposition"] == 'inline; filename="invoice-1.pdf"'


@pytest.mark.parametrize("form", ["json", "text", "html", "pdf"])
def test_a_siblings_invoice_is_unknown_in_every_form(app: Application, secrets: dict[str, str], form: str) -> None:
    answer = ask(app, f"/v1/invoices/1?format={form}", secrets["Clinic West"])
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_invoice")
    assert EVIL not in answer.text


@pytest.mark.parametrize("query", ["format=exe", "format=html&lang=xx", "format=", "lang=fr"])
def test_a_form_or_language_that_is_none_is_refused(app: Application, secrets: dict[str, str], query: str) -> None:
    assert ask(app, f"/v1/invoices/1?{query}", secrets[EVIL]).status_code == 422


def test_the_founder_reads_the_ledger_and_its_proof(app: Application, token: str) -> None:
    page = ask(app, "/admin/v1/ledger", token).json()
    assert page["next"] is None
    assert [entry["seq"] for entry in page["entries"]] == list(range(1, len(page["entries"]) + 1))
    rest = ask(app, f"/admin/v1/ledger?after={page['entries'][1]['seq']}", token).json()
    assert rest["entries"] == page["entries"][2:]
    account = page["entries"][0]["account"]
    only = ask(app, f"/admin/v1/ledger?account={account}", token).json()["entries"]
    assert {entry["account"] for entry in only} == {account}
    head = ask(app, "/admin/v1/ledger/head", token).json()
    assert head == {"seq": page["entries"][-1]["seq"], "head": page["entries"][-1]["hash"]}
    verdict = ask(app, f"/admin/v1/ledger/verify?deep=true&head={head['head']}", token).json()
    assert (verdict["sound"], verdict["findings"], verdict["invoices"]) == (True, [], 2)
    assert ask(app, "/admin/v1/ledger/verify?head=0000", token).json()["sound"] is False
    balances = ask(app, "/admin/v1/ledger/balances", token).json()["balances"]
    assert sum(entry["balance"]["minor"] for entry in balances) == 0


def test_the_founder_replays_an_invoice(app: Application, token: str) -> None:
    answer = ask(app, "/admin/v1/invoices/2/replay", token)
    assert (answer.status_code, answer.json()["same"]) == (200, True)
    assert ask(app, "/admin/v1/invoices/99/replay", token).status_code == 404


@pytest.mark.parametrize("query", ["after=-1", "after=x", "period=2026", "after=" + "9" * 30])
def test_a_question_to_the_ledger_that_is_none_is_refused(app: Application, token: str, query: str) -> None:
    assert ask(app, f"/admin/v1/ledger?{query}", token).status_code == 422


@pytest.mark.parametrize("path", ["ledger", "ledger/balances", "ledger/head", "ledger/verify", "invoices/1/replay"])
def test_a_customer_sees_nothing_of_the_ledger(app: Application, secrets: dict[str, str], path: str) -> None:
    assert ask(app, f"/admin/v1/{path}", secrets[EVIL]).status_code == 401
