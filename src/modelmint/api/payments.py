"""Payments over HTTP: what providers tell, asking for what is owed, a page for customers to pay on."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from modelmint.api.body import read_body
from modelmint.api.documents import own_invoice
from modelmint.api.problems import problem
from modelmint.api.respond import JSON, send_bytes, to_json
from modelmint.api.routing import Asked, Reply, route
from modelmint.api.service import Service
from modelmint.bootstrap import Shop
from modelmint.commerce.payments.errors import UnknownProvider
from modelmint.commerce.payments.types import ReturnUrls
from modelmint.kit.canonical import plain
from modelmint.operations import collect as collecting

LARGEST_EVENT = 256 * 1024


def payment_routes(service: Service) -> list[Route]:
    """All of them."""
    return [
        Route("/webhooks/{provider}", endpoint=_Inbox(service), methods=["POST"]),
        route(service, "/admin/v1/payments", "founder", GET=attempts, POST=collect),
        route(service, "/v1/invoices/{id}/checkout", "customer", scope="invoices", POST=checkout),
    ]


class _Inbox:
    """ASGI: what a payment provider posts. The signature is over the bytes as they came."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """200 once it is noted; anything else makes the provider send it again."""
        visit = None
        try:
            visit = self._service.throttle.enter(scope, counted=False)  # what is signed is never refused for its number
            body = await read_body(scope, receive, LARGEST_EVENT)
            names = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
            wanted = scope["path_params"]["provider"]
            new = await asyncio.to_thread(_noted, self._service.shop, wanted, names, body)
        except Exception as error:
            if visit is not None:
                visit.refused(error)
            status, headers, content = problem(error)
        else:
            status, headers, content = 200, [JSON], to_json({"new": new})
        await send_bytes(send, status, headers, content)


def _noted(shop: Shop, wanted: str, headers: dict[str, str], body: bytes) -> bool:
    if not shop.takes_payments or shop.provider.name != wanted:
        raise UnknownProvider(f"no payments are taken by {wanted[:40]!r} here")
    return collecting.receive(shop.books, shop.provider, headers, body)


def attempts(asked: Asked) -> Any:
    """Attempts to collect, newest first; ``?invoice=`` for one."""
    return {"payments": [plain(one) for one in asked.service.shop.books.payments.attempts(asked.query.get("invoice"))]}


def collect(asked: Asked) -> Reply:
    """``{"invoice"?}``: ask for one invoice now, else for everything that is due."""
    shop, invoice = asked.service.shop, asked.optional("invoice")
    if invoice is None:
        made = collecting.collect_due(shop.books, shop.provider)
    else:
        made = [collecting.collect(shop.books, shop.provider, invoice, early=True)]
        collecting.deliver_fakes(shop.books, shop.provider)
    return Reply({"payments": [plain(one) for one in made]}, status=201)


def checkout(asked: Asked) -> Reply:
    """``{"success_url", "cancel_url"?}``: the provider's page on which the caller pays an invoice of its own."""
    shop = asked.service.shop
    found = own_invoice(asked)
    success = asked.text("success_url")
    urls = ReturnUrls(success, asked.optional("cancel_url") or success)
    page = collecting.checkout(shop.books, shop.provider, found.id, urls)
    return Reply({"url": page.url}, status=201)
