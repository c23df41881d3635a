"""Outgoing webhooks: where messages go, and what became of them."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.commerce.webhooks.kinds import KINDS
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.page import PLACE, Console, page

STATES = ("waiting", "delivered", "given_up")


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/webhooks", "founder", GET=webhooks, POST=add),
        page(console, "/webhooks/{endpoint}/disable", "founder", "/webhooks", POST=disable),
        page(console, "/webhooks/{endpoint}/rotate", "founder", "/webhooks", POST=rotate),
        page(console, "/webhooks/{endpoint}/test", "founder", "/webhooks", POST=test),
        page(console, "/webhooks/replay", "founder", "/webhooks", POST=replay),
    ]


def webhooks(asked: Asked, secret: str = "") -> Answer:
    """Endpoints and the last deliveries."""
    outbox = asked.books.outbox
    endpoints = outbox.endpoints()
    state = asked.query.get("state", "")
    values = {
        "endpoints": endpoints,
        "urls": {endpoint.id: endpoint.url for endpoint in endpoints},
        "names": {customer.id: customer.name for customer in asked.books.customers()},
        "deliveries": outbox.deliveries(state=state if state in STATES else None),
        "states": STATES,
        "chosen": state,
        "kinds": tuple(KINDS),
        "secret": secret,
    }
    return Page("webhooks.html", values)


def add(asked: Asked) -> Answer:
    """An endpoint of the founder's; without kinds it hears all."""
    _, secret = asked.books.outbox.add_endpoint("founder", asked.text("url"), asked.many.get("kinds", ()) or ("*",))
    return webhooks(asked, secret)


def disable(asked: Asked) -> Answer:
    """Nothing is sent there any more."""
    asked.books.outbox.disable(asked.path["endpoint"])
    return Go(f"{PLACE}/webhooks", said="said.endpoint_disabled")


def rotate(asked: Asked) -> Answer:
    """A new signing secret; for a day both sign."""
    _, secret = asked.books.outbox.rotate_secret(asked.path["endpoint"])
    return webhooks(asked, secret)


def test(asked: Asked) -> Answer:
    """Send one message there."""
    asked.books.outbox.test(asked.path["endpoint"])
    return Go(f"{PLACE}/webhooks", said="said.test_sent")


def replay(asked: Asked) -> Answer:
    """Send a message again."""
    asked.books.outbox.replay(asked.text("message"))
    return Go(f"{PLACE}/webhooks", said="said.replayed")
