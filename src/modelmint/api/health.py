"""``/healthz/live``, ``/healthz/ready`` and ``/metrics``: for load balancers and Prometheus."""

from __future__ import annotations

import ipaddress
from typing import Any

from starlette.routing import Route

from modelmint.api.body import header
from modelmint.api.identity import check_admin
from modelmint.api.metrics import MEDIA_TYPE, render
from modelmint.api.problems import plain_problem
from modelmint.api.routing import Asked, Reply, probe
from modelmint.api.service import Service


def health_routes(service: Service) -> list[Route]:
    """All of them."""
    return [
        probe(service, "/healthz/live", live),
        probe(service, "/healthz/ready", ready),
        probe(service, "/metrics", metrics),
    ]


def live(_: Asked) -> Any:
    """The process answers."""
    return {"status": "live"}


def ready(asked: Asked) -> Any:
    """Models are loaded, the books can be read, and no stop is under way; else 503."""
    service = asked.service
    service.shop.books.deployments()
    models = sorted(service.host.serving())
    if service.draining or not models:
        why = (
            "a graceful stop is under way" if service.draining else "no model is deployed; do: modelmint deploy RELEASE"
        )
        status, headers, body = plain_problem(503, "not_ready", "The service is not ready", why)
        return Reply(body, status, headers)
    return {"status": "ready", "models": models, "not_served": sorted(service.follower.failures)}


def metrics(asked: Asked) -> Any:
    """Prometheus text; callers from elsewhere, or through a proxy, need the founder's token."""
    service = asked.service
    if not _from_this_machine(asked):
        check_admin(asked.scope, service.admin_token)
    service.publish()
    shop = service.shop
    page = render(shop.books.counts(), service.board.rows(), shop.feedback.counts())
    return Reply(page, headers=[(b"content-type", MEDIA_TYPE)])


def _from_this_machine(asked: Asked) -> bool:
    client = asked.scope.get("client")
    if not client or header(asked.scope, b"x-forwarded-for") or header(asked.scope, b"forwarded"):
        return False
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
