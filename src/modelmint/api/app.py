"""The ASGI application: the paid route first and bare, everything else through Starlette's router."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from modelmint.api.admin import admin_routes
from modelmint.api.billing import billing_routes
from modelmint.api.customer import customer_routes
from modelmint.api.events import event_routes
from modelmint.api.feedback import feedback_routes
from modelmint.api.health import health_routes
from modelmint.api.hot import PREFIX, SUFFIX, PredictRoute
from modelmint.api.keys import key_routes
from modelmint.api.leads import lead_routes
from modelmint.api.ledger import ledger_routes
from modelmint.api.openapi import openapi_route
from modelmint.api.paid import PaidRoute
from modelmint.api.partners import channel_routes, partner_routes
from modelmint.api.payments import payment_routes
from modelmint.api.people import people_routes
from modelmint.api.plans import plan_routes
from modelmint.api.problems import Headers, plain_problem, problem
from modelmint.api.respond import SECURITY, send_bytes
from modelmint.api.service import Service
from modelmint.api.subscriptions import subscription_routes
from modelmint.api.usage import usage_routes
from modelmint.api.v2.infer import InferRoute
from modelmint.api.v2.models import model_routes
from modelmint.api.v2.problems import error_of, in_protocol
from modelmint.api.webhooks import webhook_routes
from modelmint.bootstrap import Shop

V2 = "/v2"


class Application:
    """What the server runs. ``mounts`` are further routes, such as the console's."""

    def __init__(self, service: Service, mounts: Sequence[BaseRoute] = ()) -> None:
        self.service = service
        self._predict, self._infer = PredictRoute(service), InferRoute(service)
        self.router = Starlette(
            routes=[
                *customer_routes(service),
                *admin_routes(service),
                *billing_routes(service),
                *ledger_routes(service),
                *usage_routes(service),
                *event_routes(service),
                *plan_routes(service),
                *subscription_routes(service),
                *webhook_routes(service),
                *payment_routes(service),
                *key_routes(service),
                *people_routes(service),
                *feedback_routes(service),
                *lead_routes(service),
                *partner_routes(service),
                *channel_routes(service),
                *model_routes(service),
                *health_routes(service),
                openapi_route(service),
                *mounts,
            ],
            exception_handlers={HTTPException: _protocol_error, Exception: _unexpected},
            lifespan=self._lifespan,
        )
        self.router.router.redirect_slashes = False  # a path with one more slash is another path: 404, as a problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith(PREFIX) and path.endswith(SUFFIX) and len(path) > len(PREFIX) + len(SUFFIX):
                await _post_only(self._predict, wrong_method(), scope, receive, send)
                return
            if InferRoute.takes(path):
                await _post_only(self._infer, in_protocol(*wrong_method()), scope, receive, send)
                return
        await self.router(scope, receive, send)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(self.service.keep_following())
        try:
            yield
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following


def create_app(shop: Shop, *, mounts: Sequence[BaseRoute] = ()) -> Application:
    """The whole API in one process, for tests and for other ASGI servers; loads what is deployed."""
    return Application(Service(shop), mounts)


def wrong_method() -> tuple[int, Headers, bytes]:
    """405."""
    return plain_problem(405, "wrong_method", "The route does not take this method", "See the Allow header.")


async def _post_only(
    paid: PaidRoute, otherwise: tuple[int, Headers, bytes], scope: Scope, receive: Receive, send: Send
) -> None:
    if scope["method"] == "POST":
        await paid(scope, receive, send)
        return
    status, headers, body = otherwise
    await send_bytes(send, status, [*headers, (b"allow", b"POST")], body)


async def _protocol_error(request: Request, error: Exception) -> Response:
    """404 and 405 of the router."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        found = plain_problem(404, "no_such_route", "There is no such route", "See /openapi.json for what there is.")
    elif status == 405:
        found = wrong_method()
    else:
        found = plain_problem(status, "http_error", "The request failed", str(error))
    extra = getattr(error, "headers", None) or {}
    if _under_v2(request):
        found = in_protocol(*found)
    return _response(*found, extra={key.lower(): value for key, value in extra.items()})


async def _unexpected(request: Request, error: Exception) -> Response:
    return _response(*(error_of if _under_v2(request) else problem)(error))


def _under_v2(request: Request) -> bool:
    path: str = request.scope["path"]
    return path == V2 or path.startswith(V2 + "/")


def _response(status: int, headers: Headers, body: bytes, extra: dict[str, str] | None = None) -> Response:
    named = {key.decode(): value.decode("latin-1") for key, value in [*headers, *SECURITY]}
    return Response(body, status, {**named, **(extra or {})})
