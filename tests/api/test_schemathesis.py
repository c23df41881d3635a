"""Every documented operation, asked what its document allows and what it forbids: no 5xx, and the document is true.

MODELMINT_SCHEMATHESIS_EXAMPLES sets how many requests of either kind each operation gets, drawn anew every time;
without it there are few, the same every time.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from modelmint.api.app import Application, create_app
from modelmint.api.openapi import document
from modelmint.api.throttle import Buckets
from modelmint.bootstrap import open_shop
from modelmint.testing.pictures import picture
from modelmint.testing.shops import furnish

EXAMPLES = os.environ.get("MODELMINT_SCHEMATHESIS_EXAMPLES")
load_all_checks()
CHECKED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
#: All but the document itself, which schemathesis does not test.
OPERATIONS = sorted(
    f"{method.upper()} {path}"
    for path, item in document("shop", "")["paths"].items()
    if path != "/openapi.json"
    for method in item
)
UNLIMITED = 10**6


@dataclass
class Shop:
    """A furnished shop, and names of what there is in it, by what a path calls them."""

    app: Application
    operations: dict[str, Any]
    tokens: dict[str, str]
    known: dict[str, list[str]]

    def ask(self, method: str, path: str, token: str, **more: Any) -> Any:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
                headers = {**more.pop("headers", {}), "Authorization": f"Bearer {token}"}
                return await http.request(method, path, headers=headers, **more)

        return asyncio.run(once())

    def token(self, path: str) -> str:
        """Of the caller whom a path is for."""
        return self.tokens[path.split("/")[1] if path.startswith(("/admin", "/partner")) else "customer"]

    def made(self, method: str, path: str, **more: Any) -> Any:
        answer = self.ask(method, path, self.token(path), **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def names(self, name: str, path: str) -> list[str]:
        """What stands for ``{name}`` in ``path``; nothing where all that there is would be lost."""
        if path.endswith("/erase"):
            return []
        if name == "id":
            name = next((kind for kind in ("keys", "webhooks", "messages") if f"/{kind}/" in path), "invoices")
        return self.known.get(name, [])

    def send(self, case: Any, luck: random.Random) -> httpx.Response:
        """The case as a request, with real names in most paths and the right key."""
        path = case.operation.path
        for name in case.path_parameters or {}:
            names = self.names(name, path)
            if names and luck.random() < 0.7:
                case.path_parameters[name] = luck.choice(names)
        prepared = requests.Request(**case.as_transport_kwargs(base_url="http://shop")).prepare()
        headers = {name: value for name, value in prepared.headers.items() if name.lower() != "authorization"}
        return self.ask(prepared.method, prepared.url, self.token(path), content=prepared.body, headers=headers)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    furnished = furnish(tmp_path_factory.mktemp("shop"))
    app = create_app(open_shop(furnished.root))
    app.service.throttle._keys = app.service.throttle._addresses = Buckets(rate=UNLIMITED, burst=UNLIMITED)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = {found.ok().label: found.ok() for found in schema.get_all_operations()}
    shop = Shop(app, operations, {"customer": furnished.secret, "admin": app.service.admin_token}, {})
    reseller = shop.made("POST", "/admin/v1/customers", json={"name": "Reseller", "plan": "payg"})["customer"]["id"]
    partner = shop.made("POST", "/admin/v1/partners", json={"customer": reseller, "rate": "20 %"})["id"]
    key = shop.made("POST", f"/admin/v1/customers/{reseller}/keys", json={"scopes": ["partner"]})
    shop.tokens["partner"] = key["secret"]
    end = shop.made("POST", "/partner/v1/customers", json={"name": "End", "plan": "clinic"})["customer"]["id"]
    shop.made("POST", "/v1/models/brightness/predict", content=picture(9))
    month = {"period": datetime.now(UTC).strftime("%Y-%m"), "until_now": True}
    closed = shop.made("POST", f"/admin/v1/customers/{furnished.customer}/invoices", json=month)
    hook = shop.made("POST", "/v1/webhooks", json={"url": "https://hooks.example/in"})["id"]
    shop.made("POST", "/admin/v1/referrals", json={"code": "AUTUMN", "channel": "fair"})
    shop.known = {
        "model": [furnished.model],
        "name": [furnished.model, "payg", "trial"],
        "version": [furnished.release[:12]],
        "customer": [end, furnished.customer],
        "partner": [partner],
        "code": ["AUTUMN"],
        "keys": [shop.made("POST", "/v1/keys", json={"name": "spare"})["id"]],
        "webhooks": [hook],
        "invoices": [closed["invoices"][0]["id"], "1"],
    }
    yield shop
    app.service.close()


def modes(operation: Any) -> list[GenerationMode]:
    """What the document allows, and what it forbids; of a path any text is allowed."""
    can_be_wrong = operation.query or operation.headers or operation.body
    return [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if can_be_wrong else [])]


@pytest.mark.parametrize("label", OPERATIONS)
def test_whatever_an_operation_is_asked_it_answers_as_documented(shop: Shop, label: str) -> None:
    operation, luck, sent = shop.operations[label], random.Random(label), 0

    def check(case: Any) -> None:
        nonlocal sent
        sent += 1
        case.validate_response(shop.send(case, luck), checks=CHECKED)

    for mode in modes(operation):
        settings(
            max_examples=int(EXAMPLES or 3),
            derandomize=EXAMPLES is None,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )(given(operation.as_strategy(generation_mode=mode))(check))()
    assert sent >= len(modes(operation))
