"""``/admin/v1/plans``: what is and was on sale, put and withdrawn by the founder."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from modelmint.api.errors import BadQuery
from modelmint.api.routing import Asked, echo, route
from modelmint.api.service import Service
from modelmint.commerce.documents import plan_json
from modelmint.commerce.offers import API
from modelmint.commerce.plan_table import plan_from
from modelmint.commerce.types import PlanVersion
from modelmint.kit.canonical import plain
from modelmint.operations.plan_hints import plan_hints


def plan_routes(service: Service) -> list[Route]:
    """All of them; what is on sale is public, see ``customer``."""
    return [
        route(service, "/admin/v1/plans", "founder", GET=versions),
        route(service, "/admin/v1/plans/{name}", "founder", GET=versions_of, PUT=put, DELETE=withdraw),
    ]


def versions(asked: Asked) -> Any:
    """Every version of every plan, with who holds how many and since or from when it is on sale."""
    return {"plans": [version_json(one) for one in asked.service.shop.books.plan_versions()]}


def versions_of(asked: Asked) -> Any:
    """Every version of one plan."""
    return {"plans": [version_json(one) for one in asked.service.shop.books.plan_versions(asked.path["name"])]}


def put(asked: Asked) -> Any:
    """The keys of ``[plans.NAME]``, and ``effective_at`` for terms that count from then on.

    Answers all versions, and ``warnings``: names that charges ask for and nothing here has, usage that costs nothing.
    """
    books, table = asked.service.shop.books, dict(asked.body)
    later = table.pop("effective_at", None)
    if later is not None:
        if "effective" in table:
            raise BadQuery("expected one of 'effective' and 'effective_at', found both")
        table["effective"] = later
    plan, effective = plan_from(asked.path["name"], table)
    if effective is not None and effective <= books.now():
        raise BadQuery(
            f"expected 'effective_at' in the future, found {echo(later or table['effective'])}; leave it out"
        )
    books.put_plans([plan], {} if effective is None else {plan.name: effective}, API)
    shop = asked.service.shop
    warnings = plan_hints([plan], shop.venture, shop.shelf, books.deployments())
    return {**versions_of(asked), "warnings": warnings}


def withdraw(asked: Asked) -> Any:
    """Nobody can take it any more; who holds it keeps it."""
    asked.service.shop.books.withdraw_plan(asked.path["name"])
    return versions_of(asked)


def version_json(version: PlanVersion) -> dict[str, Any]:
    """A version with its story."""
    story = {name: plain(getattr(version, name)) for name in PlanVersion.__slots__ if name != "plan"}
    return {**plan_json.to_json(version.plan), **story}
