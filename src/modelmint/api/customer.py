"""Routes of the public and of customers: models, plans, their own usage and invoices."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from modelmint.api.billing import listed
from modelmint.api.documents import own_invoice, shown
from modelmint.api.routing import Asked, route
from modelmint.api.service import Service
from modelmint.commerce.documents import plan_json
from modelmint.commerce.plan_terms import terms_of


def customer_routes(service: Service) -> list[Route]:
    """All of them."""
    return [
        route(service, "/v1/models", "anyone", GET=models),
        route(service, "/v1/plans", "anyone", GET=plans),
        route(service, "/v1/invoices", "customer", scope="invoices", GET=invoices),
        route(service, "/v1/invoices/{id}", "customer", scope="invoices", GET=invoice),
    ]


def models(asked: Asked) -> Any:
    """What is served now, by public name."""
    return {
        "models": [
            {
                "name": name,
                "task": lane.spec.task,
                "labels": list(lane.spec.labels),
                "release": lane.release,
                "variant": lane.variant,
                "use": lane.use,
                "max_items": asked.service.limits.max_items,
                "max_body_bytes": asked.service.shop.max_body,
            }
            for name, (_, lane) in sorted(asked.service.host.serving().items())
        ]
    }


def plans(asked: Asked) -> Any:
    """What is on sale, each with its terms in words, in Chinese with ``?lang=zh``."""
    language = asked.query.get("lang", "en")
    found = asked.service.shop.books.plans()
    return {"plans": [{**plan_json.to_json(plan), "terms": terms_of(plan, language)} for plan in found]}


def invoices(asked: Asked) -> Any:
    """The caller's invoices, each with where it stands, a page at a time."""
    return listed(asked, asked.customer)


def invoice(asked: Asked) -> Any:
    """One of the caller's invoices; as text, page or PDF with ``?format=``."""
    return shown(own_invoice(asked), asked)
