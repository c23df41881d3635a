"""A customer's keys: made, rotated, revoked; a secret is shown once, on the page that answers its making."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.routing import Route

from modelmint.commerce.errors import UnknownKey
from modelmint.commerce.people.scopes import DEFAULT, SCOPES, checked
from modelmint.commerce.people.terms import end_of_new
from modelmint.commerce.types import Key
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.page import Console, about_one, page
from modelmint.console.pages.customers import about
from modelmint.console.snippets import snippets
from modelmint.operations.deploy import targets

#: Days that a rotated key goes on beside its successor.
OVERLAPS = ("0", "1", "7", "30")


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        *about_one(console, "/keys", GET=keys, POST=make),
        *about_one(console, "/keys/{key}/rotate", "/keys", POST=rotate),
        *about_one(console, "/keys/{key}/revoke", "/keys", POST=revoke),
        page(console, "/my/start", "customer", GET=start),
    ]


def keys(asked: Asked, secret: str = "") -> Answer:
    """The list, and the form for a new one; ``secret`` is that of a key just made."""
    now = asked.books.now()
    rows = [(key, _state(key, now)) for key in reversed(asked.books.keys(asked.customer))]
    shown = {"rows": rows, "secret": secret, "scopes": _givable(asked), "usual": DEFAULT, "overlaps": OVERLAPS}
    return Page("keys.html", {**about(asked), **shown, "own": asked.session.key})


def _state(key: Key, now: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now else "active"


def _givable(asked: Asked) -> tuple[str, ...]:
    """Scopes that the reader may give: the founder any, a customer those of the key it signed in with."""
    return tuple(SCOPES) if asked.founder else _of(asked, asked.session.key).scopes


def make(asked: Asked) -> Answer:
    """A further key, which may do no more and live no longer than the one that makes it."""
    expires_at = end_of_new(asked.date("expires"), _caller(asked))
    scopes = checked(asked.many.get("scopes", ()), _givable(asked))
    _, secret = asked.books.add_key(asked.customer, asked.text("name"), scopes, expires_at)
    return keys(asked, secret)


def rotate(asked: Asked) -> Answer:
    """A new secret, which lives no longer than the key that asks; the old one goes on for as long as was chosen."""
    key = _of(asked, asked.path["key"])
    if not asked.founder:
        checked(key.scopes, _givable(asked))
    overlap = timedelta(days=int(asked.chosen("overlap", OVERLAPS)))
    _, secret = asked.books.people.rotate(key.id, overlap, expires_at=end_of_new(None, _caller(asked), key))
    return keys(asked, secret)


def revoke(asked: Asked) -> Answer:
    """It stops working at once; raises ``UnknownKey`` for somebody else's."""
    asked.books.revoke_key(_of(asked, asked.path["key"]).id)
    return Go(f"{asked.home}/keys", said="said.key_revoked")


def _caller(asked: Asked) -> Key | None:
    """The key that a customer signed in with; None for the founder."""
    return None if asked.founder else _of(asked, asked.session.key)


def _of(asked: Asked, wanted: str) -> Key:
    """A key of the customer whom the page is about."""
    for key in asked.books.keys(asked.customer):
        if key.id == wanted:
            return key
    raise UnknownKey(f"no key {wanted[:80]!r}")


def start(asked: Asked) -> Answer:
    """Calls to copy: curl, Python, JavaScript; with an explanation; and feedback."""
    models = [target.name for target in targets(asked.books)]
    shown = snippets(asked.origin, models[0] if models else "MODEL")
    return Page("start.html", {**about(asked), "snippets": shown})
