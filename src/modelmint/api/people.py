"""The audit log, alarms and erasure over HTTP."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from modelmint.api.errors import BadQuery
from modelmint.api.routing import Asked, echo, route
from modelmint.api.service import Service
from modelmint.kit.canonical import plain
from modelmint.kit.period import parse_moment
from modelmint.operations.erase import erase as erase_all

PAGE = 100
LONGEST_PAGE = 1000


def people_routes(service: Service) -> list[Route]:
    """For the founder; customers see the alarms of their own keys."""
    return [
        route(service, "/admin/v1/audit", "founder", GET=audit),
        route(service, "/admin/v1/alarms", "founder", GET=alarms),
        route(service, "/admin/v1/customers/{customer}/erase", "founder", POST=erase),
        route(service, "/v1/alarms", "customer", scope="keys", GET=own_alarms),
    ]


def audit(asked: Asked) -> Any:
    """Who did what, newest first; the next page begins ``before`` the last ``seq``."""
    query = asked.query
    since = parse_moment(query["since"]) if "since" in query else None
    before, limit = asked.whole("before", 0) or None, asked.whole("limit", PAGE, most=LONGEST_PAGE)
    found = asked.service.shop.books.people.audit(
        query.get("subject"), since, actor=query.get("actor"), before=before, limit=limit
    )
    return {"entries": [plain(entry) for entry in found]}


def alarms(asked: Asked) -> Any:
    """Keys that behave unlike themselves, newest first; with ``?open=true`` those that still do."""
    return {"alarms": [plain(one) for one in asked.service.shop.books.people.alarms(open_only=_open(asked))]}


def own_alarms(asked: Asked) -> Any:
    """Alarms of the caller's keys."""
    people = asked.service.shop.books.people
    return {"alarms": [plain(one) for one in people.alarms(asked.customer, open_only=_open(asked))]}


def erase(asked: Asked) -> Any:
    """Forget a person: ``{"confirm": "the customer's id", "force": false}``. Cannot be undone."""
    shop = asked.service.shop
    customer, force = shop.books.customer(asked.path["customer"]), asked.body.get("force", False)
    if not isinstance(force, bool):
        raise BadQuery(f"expected 'force' as true or false, found {echo(force)}")
    if asked.text("confirm") != customer.id:
        raise BadQuery("erasing cannot be undone: expected 'confirm' to be the customer's id, found another text")
    return plain(erase_all(shop.books, shop.inputs, customer.id, force=force))


def _open(asked: Asked) -> bool:
    wanted = asked.query.get("open", "false")
    if wanted not in ("true", "false"):
        raise BadQuery(f"expected open=true or open=false, found {echo(wanted)}")
    return wanted == "true"
