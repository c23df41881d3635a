"""``/v1/events``: usage events of batch jobs and devices in, calls and events out, as CloudEvents 1.0."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from modelmint.api.body import header, read_body
from modelmint.api.errors import UnsupportedMediaType
from modelmint.api.identity import key_digest
from modelmint.api.problems import problem
from modelmint.api.respond import JSON, send_bytes, to_json
from modelmint.api.routing import Asked, route
from modelmint.api.service import Service
from modelmint.api.throttle import Visit
from modelmint.api.usage import period_of
from modelmint.commerce.metering.bodies import BATCH, PLAIN, STRUCTURED, events_in
from modelmint.commerce.metering.cloudevents import present, present_call
from modelmint.commerce.metering.types import Recorded
from modelmint.commerce.people.actor import acting
from modelmint.commerce.people.scopes import require
from modelmint.commerce.types import Key
from modelmint.kit.canonical import plain

EVENTS = "events"
#: Entries on one page of the log.
PAGE, LARGEST_PAGE = 1000, 10_000


def event_routes(service: Service) -> list[Route]:
    """All of them; reporting and reading back are two routes of one path."""
    return [
        Route("/v1/events", endpoint=ReportRoute(service), methods=["POST"]),
        route(service, "/v1/events", "customer", scope=EVENTS, GET=own_log),
        route(service, "/admin/v1/customers/{customer}/events", "founder", GET=log),
    ]


class ReportRoute:
    """``POST /v1/events``: a whole batch is stored durably before the answer, or nothing of it is."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; every error leaves as problem+json."""
        visit, turns = None, self._service.turns
        try:
            visit = self._service.throttle.enter(scope, counted=False)
            # A stranger's body, which may be large, is not read.
            key = await asyncio.to_thread(self._key, scope, visit)
            async with turns.place(key.customer):
                body = await read_body(scope, receive, self._service.shop.max_body)
                async with turns.turn(key.customer, len(body)) as counted:
                    recorded = await asyncio.to_thread(self._record, key, scope, body, counted)
        except Exception as error:
            if visit is not None:
                visit.refused(error)
            status, headers, content = problem(error)
        else:
            status, headers, content = 200, [JSON], to_json(plain(recorded))
        await send_bytes(send, status, headers, content)

    def _key(self, scope: Scope, visit: Visit) -> Key:
        key = self._service.shop.books.key_by_digest(key_digest(scope))
        visit.proved()
        require(key, EVENTS)
        return key

    def _record(self, key: Key, scope: Scope, body: bytes, counted: list[int]) -> Recorded:
        given = header(scope, b"content-type") or b""
        kind = given.split(b";", 1)[0].strip().lower().decode("latin-1")
        if kind not in (STRUCTURED, BATCH, PLAIN):
            raise UnsupportedMediaType(f"expected Content-Type {STRUCTURED}, {BATCH} or {PLAIN}; found {kind[:80]!r}")
        named = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        books = self._service.shop.books
        events = events_in(kind, named, body, books.now())
        counted.append(len(events))
        with acting(f"customer:{key.customer}"):
            return books.meters.record(key.customer, key.id, events)


def own_log(asked: Asked) -> Any:
    """The caller's calls and usage events of a billing period, a page at a time."""
    return _page(asked, asked.customer)


def log(asked: Asked) -> Any:
    """A customer's calls and usage events of a billing period, a page at a time."""
    return _page(asked, asked.path["customer"])


def _page(asked: Asked, wanted: str) -> Any:
    shop = asked.service.shop
    customer = shop.books.customer(wanted)
    limit = asked.whole("limit", PAGE, most=LARGEST_PAGE)
    page = shop.books.meters.log(customer.id, period_of(asked, customer), asked.query.get("after", ""), limit)
    calls = [present_call(outcome, shop.name) for outcome in page.calls]
    return {"events": [*calls, *(present(event) for event in page.events)], "next": page.next or None}
