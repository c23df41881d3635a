"""``/admin/v1/leads``: what visitors of the trial page left."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from modelmint.api.routing import Asked, route
from modelmint.api.service import Service
from modelmint.kit.canonical import plain


def lead_routes(service: Service) -> list[Route]:
    """For the founder."""
    return [
        route(service, "/admin/v1/leads", "founder", GET=leads),
        route(service, "/admin/v1/leads/{lead}", "founder", DELETE=erase),
    ]


def leads(asked: Asked) -> Any:
    """The newest first; the next page begins ``before`` the last one's id."""
    _, limit = asked.page()
    found = asked.service.shop.books.visitors.leads(before=asked.query.get("before"), limit=limit)
    return {"leads": [plain(lead) for lead in found]}


def erase(asked: Asked) -> Any:
    """One by id, or all of an e-mail address."""
    return {"erased": asked.service.shop.books.visitors.forget(asked.path["lead"])}
