"""A customer's keys: made, revoked; a secret is shown once, on the page that answers its making."""

from __future__ import annotations

from datetime import datetime

from starlette.routing import Route

from modelmint.commerce.errors import UnknownKey
from modelmint.commerce.people.scopes import DEFAULT
from modelmint.commerce.types import Key
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.page import Console, page
from modelmint.console.pages.customers import about
from modelmint.operations.deploy import targets


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/customers/{customer}/keys", "founder", GET=keys, POST=make),
        page(console, "/customers/{customer}/keys/{key}/revoke", "founder", POST=revoke),
        page(console, "/my/keys", "customer", GET=keys, POST=make),
        page(console, "/my/keys/{key}/revoke", "customer", POST=revoke),
        page(console, "/my/start", "customer", GET=start),
    ]


def keys(asked: Asked, secret: str = "") -> Answer:
    """The list, and the form for a new one; ``secret`` is that of a key just made."""
    now = asked.books.now()
    rows = [(key, _state(key, now)) for key in reversed(asked.books.keys(asked.customer))]
    return Page("keys.html", {**about(asked), "rows": rows, "secret": secret, "scopes": DEFAULT, **_calling(asked)})


def _state(key: Key, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"


def make(asked: Asked) -> Answer:
    """A further key."""
    _, secret = asked.books.add_key(asked.customer, asked.text("name"))
    return keys(asked, secret)


def revoke(asked: Asked) -> Answer:
    """It stops working at once; raises ``UnknownKey`` for somebody else's."""
    asked.books.revoke_key(_own(asked).id)
    return Go(f"{asked.home}/keys", said="said.key_revoked")


def _own(asked: Asked) -> Key:
    for key in asked.books.keys(asked.customer):
        if key.id == asked.path["key"]:
            return key
    raise UnknownKey(f"no key {asked.path['key'][:80]!r}")


def start(asked: Asked) -> Answer:
    """Calls to copy: curl, Python, JavaScript."""
    return Page("start.html", {**about(asked), **_calling(asked)})


def _calling(asked: Asked) -> dict[str, object]:
    models = [target.name for target in targets(asked.books)]
    return {"origin": asked.origin, "model": models[0] if models else "MODEL"}
