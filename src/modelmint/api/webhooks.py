"""Outgoing webhooks over HTTP: the founder's and customers' endpoints, what became of messages, sending again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.routing import Route

from modelmint.api.errors import BadQuery
from modelmint.api.routing import Asked, Reply, echo, route
from modelmint.api.service import Service
from modelmint.commerce.webhooks.kinds import FOUNDER, kinds_for
from modelmint.commerce.webhooks.repository import Outbox
from modelmint.commerce.webhooks.types import Endpoint
from modelmint.kit.canonical import plain
from modelmint.kit.period import parse_moment

MOST_DELIVERIES = 1000
Owner = Callable[[Asked], str | None]


def webhook_routes(service: Service) -> list[Route]:
    """The founder's, and the same for customers with a key of scope ``keys``, who see their own only."""
    founder, customer = _Pages(lambda _: None), _Pages(lambda asked: asked.customer)
    ours, theirs = "/admin/v1", "/v1"
    return [
        route(service, f"{ours}/webhooks", "founder", GET=founder.show, POST=founder.add),
        route(service, f"{ours}/webhooks/deliveries", "founder", GET=founder.deliveries),
        route(service, f"{ours}/webhooks/{{id}}", "founder", DELETE=founder.remove),
        route(service, f"{ours}/webhooks/{{id}}/secret", "founder", POST=founder.rotate),
        route(service, f"{ours}/webhooks/{{id}}/test", "founder", POST=founder.test),
        route(service, f"{ours}/messages/replay", "founder", POST=founder.replay_since),
        route(service, f"{ours}/messages/{{id}}/replay", "founder", POST=founder.replay),
        route(service, f"{theirs}/webhooks", "customer", scope="keys", GET=customer.show, POST=customer.add),
        route(service, f"{theirs}/webhooks/deliveries", "customer", scope="keys", GET=customer.deliveries),
        route(service, f"{theirs}/webhooks/{{id}}", "customer", scope="keys", DELETE=customer.remove),
        route(service, f"{theirs}/webhooks/{{id}}/secret", "customer", scope="keys", POST=customer.rotate),
        route(service, f"{theirs}/webhooks/{{id}}/test", "customer", scope="keys", POST=customer.test),
        route(service, f"{theirs}/messages/{{id}}/replay", "customer", scope="keys", POST=customer.replay),
    ]


class _Pages:
    """Handlers for one kind of caller; ``owner`` tells whose endpoints it may touch, None for everybody's."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def show(self, asked: Asked) -> Any:
        """Endpoints, without their secrets."""
        return {"webhooks": [plain(one) for one in _outbox(asked).endpoints(self._owner(asked))]}

    def add(self, asked: Asked) -> Reply:
        """``{"url", "kinds"?}``; the secret is in this answer only. A key makes nobody hear what it may not read."""
        shop, owner = asked.service.shop, self._owner(asked) or FOUNDER
        url, kinds = asked.text("url"), kinds_of(asked)
        if asked.key is not None:
            kinds = [*kinds_for(kinds, asked.key.scopes)]
        return _with_secret(*shop.books.outbox.add_endpoint(owner, url, kinds, private=shop.private_webhooks), 201)

    def remove(self, asked: Asked) -> Any:
        """Send nothing there any more."""
        return plain(_outbox(asked).disable(asked.path["id"], self._owner(asked)))

    def rotate(self, asked: Asked) -> Reply:
        """A new secret; for a day the former one signs along."""
        return _with_secret(*_outbox(asked).rotate_secret(asked.path["id"], self._owner(asked)), 201)

    def test(self, asked: Asked) -> Reply:
        """Send a ``webhook.test`` there."""
        return Reply({"message": _outbox(asked).test(asked.path["id"], self._owner(asked))}, status=202)

    def deliveries(self, asked: Asked) -> Any:
        """What became of messages, newest first; ``?message=``, ``?state=``, ``?limit=``."""
        query, limit = asked.query, asked.whole("limit", 100, most=MOST_DELIVERIES)
        state = query.get("state")
        if state not in (None, "waiting", "delivered", "given_up"):
            raise BadQuery(f"expected state waiting, delivered or given_up, found {echo(state)}")
        found = _outbox(asked).deliveries(self._owner(asked), message=query.get("message"), state=state, limit=limit)
        return {"deliveries": [plain(one) for one in found]}

    def replay(self, asked: Asked) -> Reply:
        """Send one message again."""
        return Reply({"deliveries": _outbox(asked).replay(asked.path["id"], self._owner(asked))}, status=202)

    def replay_since(self, asked: Asked) -> Reply:
        """``{"since": "2026-11-10T12:00:00Z"}``: send all from then on again."""
        since = parse_moment(asked.text("since"))
        return Reply({"deliveries": _outbox(asked).replay_since(since, self._owner(asked))}, status=202)


def kinds_of(asked: Asked) -> list[str]:
    """``kinds`` of the body, a list of texts that may be absent."""
    kinds = asked.body.get("kinds", [])
    if not isinstance(kinds, list) or len(kinds) > 100 or not all(isinstance(kind, str) for kind in kinds):
        raise BadQuery(f"expected 'kinds' as a list of texts, found {echo(kinds)}")
    return kinds


def _outbox(asked: Asked) -> Outbox:
    return asked.service.shop.books.outbox


def _with_secret(endpoint: Endpoint, secret: str, status: int) -> Reply:
    note = "This secret is shown once. Verify the signature of every message with it."
    return Reply({**plain(endpoint), "secret": secret, "note": note}, status=status)
