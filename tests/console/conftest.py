"""The console beside the API in one process, and readers that click through it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import httpx
import pytest
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from modelmint.api.app import Application
from modelmint.api.problems import status_of
from modelmint.api.service import Service
from modelmint.bootstrap import Shop, open_shop
from modelmint.console.attempts import Attempts
from modelmint.console.routes import console_routes
from modelmint.testing.shops import Furnished, furnish


@dataclass
class Desk:
    """A furnished shop with its console."""

    shop: Shop
    app: Application
    furnished: Furnished
    token: str
    clients: list[TestClient] = field(default_factory=list)

    def reader(self, secret: str | None = None, **headers: str) -> Reader:
        """A browser of its own; signed in where a secret is given."""
        client = TestClient(
            ProxyHeadersMiddleware(self.app, ["testclient"]),
            base_url="http://shop.test",
            headers=headers,
            raise_server_exceptions=False,
        )
        self.clients.append(client)
        reader = Reader(client)
        if secret is not None:
            assert reader.sign_in(secret).status_code == 200
        return reader


@dataclass
class Reader:
    """Loads pages and sends their forms as a browser would."""

    client: TestClient

    def get(self, path: str, **more: object) -> httpx.Response:
        return self.client.get(path, **more)  # type: ignore[arg-type]

    def token(self, path: str = "/console/sign-in") -> str:
        found = re.search(r'name="token" value="(\w+)"', self.get(path).text)
        assert found, path
        return found[1]

    def post(self, path: str, on: str = "/console/", **fields: object) -> httpx.Response:
        """Send a form of the page ``on`` to ``path``."""
        return self.client.post(path, data={"token": self.token(on), **fields})

    def sign_in(self, secret: str) -> httpx.Response:
        return self.post("/console/sign-in", on="/console/sign-in", secret=secret)

    def cookie(self, name: str = "mm_session") -> str:
        return next(cookie.value or "" for cookie in self.client.cookies.jar if cookie.name == name)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Time stands still for wrong sign-ins: how many are refused depends on no machine's speed."""
    monkeypatch.setattr("modelmint.console.routes.Attempts", lambda: Attempts(lambda: 1000.0))
    furnished = furnish(tmp_path)
    with open_shop(tmp_path) as shop:
        service = Service(shop)
        routes = console_routes(shop, service.admin_token, status_of, service.predict)
        desk = Desk(shop, Application(service, routes), furnished, service.admin_token)
        yield desk
        for client in desk.clients:
            client.close()
        service.close()


@pytest.fixture
def second_post(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Set as soon as a post finds the same form under way. Whoever waits for an answer has patience."""
    found = Event()

    def sleep(seconds: float) -> None:
        found.set()
        time.sleep(seconds)

    clocks = SimpleNamespace(monotonic=time.monotonic, perf_counter=time.perf_counter, sleep=sleep)
    monkeypatch.setattr("modelmint.operations.try_out.time", clocks)
    monkeypatch.setattr("modelmint.operations.try_out.PATIENCE", 240)
    return found


@pytest.fixture
def founder(desk: Desk) -> Reader:
    return desk.reader(desk.token)


@pytest.fixture
def customer(desk: Desk) -> Reader:
    return desk.reader(desk.furnished.secret)
