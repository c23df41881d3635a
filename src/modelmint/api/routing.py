"""JSON routes around plain functions: who may call, what was sent, what comes back."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qsl

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from modelmint.api.body import read_body
from modelmint.api.bridge import result_of
from modelmint.api.errors import BadQuery
from modelmint.api.identity import check_admin, key_digest
from modelmint.api.problems import Headers, Told, problem
from modelmint.api.respond import JSON, send_bytes, to_json
from modelmint.api.service import Service
from modelmint.api.throttle import Visit
from modelmint.commerce.people.actor import FOUNDER, SYSTEM, acting
from modelmint.commerce.people.scopes import PARTNER, require
from modelmint.commerce.types import Key
from modelmint.kit.period import parse_moment

LARGEST_JSON = 64 * 1024
LONGEST_ECHO = 80
#: Rows on one page of a list, where nothing is said and at most.
PAGE, LARGEST_PAGE = 100, 1000
#: The largest whole number of a query; longer texts are not even read.
LARGEST_WHOLE = 10**15 - 1
_DIGITS = 15


def echo(value: object) -> str:
    """What was sent, as a message repeats it."""
    return repr(value)[:LONGEST_ECHO]


@dataclass(frozen=True)
class Asked:
    """One understood request to a JSON route."""

    service: Service
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    scope: Scope
    #: The caller's key; None on public and founder routes.
    key: Key | None = None

    @property
    def customer(self) -> str:
        """Id of the calling customer."""
        assert self.key is not None  # noqa: S101 - only customer routes ask, and they were let in by a key
        return self.key.customer

    def text(self, name: str, *, default: str | None = None) -> str:
        """A text field of the JSON body; raises ``BadQuery`` where it is missing or no text."""
        value = self.body.get(name, default)
        if not isinstance(value, str) or not 0 < len(value) <= 500:
            raise BadQuery(f"expected {name!r} as a text of 1 to 500 characters, found {echo(value)}")
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
            raise BadQuery(f"expected {name!r} as a text without control characters, found {echo(value)}")
        return value

    def optional(self, name: str) -> str | None:
        """A text field that may be absent."""
        return None if self.body.get(name) is None else self.text(name)

    def moment(self, name: str) -> datetime | None:
        """A moment of the JSON body that may be absent; raises ``BadPeriod``."""
        text = self.optional(name)
        return None if text is None else parse_moment(text)

    def whole(self, name: str, default: int, most: int = LARGEST_WHOLE) -> int:
        """A whole number of the query, from 1 to ``most``; ``default`` where it is left out."""
        text = self.query.get(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS and 0 < int(text) <= most):
            raise BadQuery(f"expected {name!r} as a whole number from 1 to {most}, found {echo(text)}")
        return int(text)

    def page(self) -> tuple[str, int]:
        """``?after=&limit=`` of a long list."""
        return self.query.get("after", ""), self.whole("limit", PAGE, most=LARGEST_PAGE)


@dataclass(frozen=True)
class Reply:
    """What a handler gives back where 200 and JSON will not do."""

    #: JSON, or bytes as they are, or a future of them, for which no thread waits.
    content: Any
    status: int = 200
    headers: Headers = field(default_factory=lambda: [JSON])


Handler = Callable[[Asked], Any]
Caller = Literal["anyone", "customer", "founder"]
#: What a handler does is noted under this name in the audit log; a customer's and a partner's with their id.
_ACTORS: Mapping[Caller, str] = {"anyone": SYSTEM, "founder": FOUNDER}


class JsonRoute:
    """An ASGI endpoint around handlers, one per method, which run in a thread and may block.

    ``caller`` says who may call: anyone, a customer by key, or the founder by token. ``scope`` is what a
    customer's key must hold; None where any valid key will do. ``free``: for load balancers, who are not counted.
    ``told`` gives errors their form.
    """

    def __init__(
        self,
        service: Service,
        caller: Caller,
        handlers: Mapping[str, Handler],
        scope: str | None = None,
        *,
        free: bool = False,
        told: Told = problem,
    ) -> None:
        self._service, self._caller, self._handlers, self._needed = service, caller, handlers, scope
        self._free, self._told = free, told

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; every error leaves as ``told`` says."""
        visit = None
        try:
            if not self._free:
                visit = self._service.throttle.enter(scope, counted=self._caller == "anyone")
            body = await self._body(scope, receive)
            reply = await asyncio.to_thread(self._run, scope, body, visit)
            found = await result_of(reply.content) if isinstance(reply.content, Future) else reply.content
        except Exception as error:
            if visit is not None:
                visit.refused(error)
            status, headers, content = self._told(error)
        else:
            status, headers = reply.status, reply.headers
            content = found if isinstance(found, bytes) else to_json(found)
        await send_bytes(send, status, headers, content)

    async def _body(self, scope: Scope, receive: Receive) -> Mapping[str, Any]:
        if self._caller == "customer":
            key_digest(scope)  # a stranger's body is not read
        elif self._caller == "founder":
            check_admin(scope, self._service.admin_token)
        if scope["method"] not in ("POST", "PUT", "PATCH"):
            return {}
        content = await read_body(scope, receive, LARGEST_JSON)
        if not content:
            return {}
        try:
            found = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise BadQuery(f"expected a JSON object in the body, found something else ({error})") from error
        if not isinstance(found, dict):
            raise BadQuery("expected a JSON object in the body, found another kind of JSON")
        return found

    def _run(self, scope: Scope, body: Mapping[str, Any], visit: Visit | None) -> Reply:
        key, who = None, _ACTORS.get(self._caller, SYSTEM)
        if self._caller == "customer":
            key = self._service.shop.books.key_by_digest(key_digest(scope))
            if visit is not None:
                visit.proved()
            if self._needed is not None:
                require(key, self._needed)
            who = f"{'partner' if self._needed == PARTNER else 'customer'}:{key.customer}"
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        asked = Asked(self._service, scope.get("path_params", {}), query, body, scope, key)
        with acting(who):
            found = self._handlers["GET" if scope["method"] == "HEAD" else scope["method"]](asked)
        return found if isinstance(found, Reply) else Reply(found)


def route(service: Service, path: str, caller: Caller, *, scope: str | None = None, **handlers: Handler) -> Route:
    """One path; ``handlers`` by method (``GET=...``), GET answers HEAD too; ``scope``: what a key must hold."""
    return Route(path, endpoint=JsonRoute(service, caller, handlers, scope), methods=list(handlers))


def probe(service: Service, path: str, handler: Handler) -> Route:
    """A path that load balancers and Prometheus read as often as they like."""
    return Route(path, endpoint=JsonRoute(service, "anyone", {"GET": handler}, free=True), methods=["GET"])
