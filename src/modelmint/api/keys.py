"""Keys over HTTP: a customer's own, and all of them for the founder. Secrets are shown once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from starlette.routing import Route

from modelmint.api.errors import BadQuery
from modelmint.api.routing import Asked, Reply, echo, route
from modelmint.api.service import Service
from modelmint.commerce.errors import UnknownKey
from modelmint.commerce.people.scopes import checked, parse, require
from modelmint.commerce.people.terms import LONGEST_OVERLAP, OVERLAP, end_of_new
from modelmint.commerce.types import Key
from modelmint.kit.canonical import plain


def key_routes(service: Service) -> list[Route]:
    """The customers' and the founder's."""
    return [
        route(service, "/v1/keys", "customer", scope="keys", GET=own_keys, POST=make_own),
        route(service, "/v1/keys/{id}", "customer", scope="keys", DELETE=revoke_own),
        route(service, "/v1/keys/{id}/rotate", "customer", scope="keys", POST=rotate_own),
        route(service, "/admin/v1/keys", "founder", GET=all_keys),
        route(service, "/admin/v1/keys/{id}", "founder", DELETE=revoke),
        route(service, "/admin/v1/keys/{id}/rotate", "founder", POST=rotate),
        route(service, "/admin/v1/customers/{customer}/keys", "founder", POST=make),
    ]


def own_keys(asked: Asked) -> Any:
    """The caller's keys, a page at a time; secrets are never shown again."""
    return _listed(asked, asked.customer)


def make_own(asked: Asked) -> Reply:
    """A further key for the caller, that can do and lasts no more than the one that makes it."""
    caller = _caller(asked)
    wanted = scopes_asked(asked)
    mine = [scope for scope in caller.scopes if scope != "partner"]
    scopes = mine if wanted is None else checked(wanted, within=caller.scopes)
    end = end_of_new(asked.moment("expires_at"), caller)
    made = asked.service.shop.books.add_key(asked.customer, asked.text("name", default="api"), scopes, end)
    return Reply(with_secret(*made), status=201)


def rotate_own(asked: Asked) -> Reply:
    """Replace one of the caller's keys, which must not be able to do more than the one that asks."""
    caller, former = _caller(asked), _own(asked)
    for scope in former.scopes:
        require(caller, scope)
    end = end_of_new(asked.moment("expires_at"), caller, former)
    made = asked.service.shop.books.people.rotate(former.id, overlap_asked(asked), expires_at=end)
    return Reply(with_secret(*made), status=201)


def revoke_own(asked: Asked) -> Any:
    """Revoke one of the caller's keys; it stops working at once."""
    return plain(asked.service.shop.books.revoke_key(_own(asked).id))


def all_keys(asked: Asked) -> Any:
    """All keys, a page at a time."""
    return _listed(asked, None)


def _listed(asked: Asked, customer: str | None) -> Any:
    after, limit = asked.page()
    page = asked.service.shop.books.lists.keys(customer, after, limit)
    return {"keys": [plain(key) for key in page.rows], "next": page.next or None}


def make(asked: Asked) -> Reply:
    """A key for a customer; its secret is in this answer only."""
    books = asked.service.shop.books
    customer = books.customer(asked.path["customer"])
    name, end = asked.text("name", default="api"), asked.moment("expires_at")
    return Reply(with_secret(*books.add_key(customer.id, name, scopes_asked(asked), end)), status=201)


def rotate(asked: Asked) -> Reply:
    """Replace any key."""
    people, end = asked.service.shop.books.people, asked.moment("expires_at")
    return Reply(with_secret(*people.rotate(asked.path["id"], overlap_asked(asked), expires_at=end)), status=201)


def revoke(asked: Asked) -> Any:
    """Revoke any key."""
    return plain(asked.service.shop.books.revoke_key(asked.path["id"]))


def with_secret(key: Key, secret: str) -> dict[str, Any]:
    """A new key with the secret that is shown once."""
    return {**plain(key), "secret": secret, "note": "This secret is shown once. Keep it safe."}


def scopes_asked(asked: Asked) -> Sequence[str] | None:
    """``"scopes": ["predict"]`` or ``"predict usage"``; None where they are left out."""
    wanted = asked.body.get("scopes")
    if wanted is None:
        return None
    if isinstance(wanted, str):
        return parse(wanted)
    if not isinstance(wanted, list) or not all(isinstance(scope, str) for scope in wanted):
        raise BadQuery(f"expected 'scopes' as a list of names, found {echo(wanted)}")
    return wanted


def overlap_asked(asked: Asked) -> timedelta:
    """``"overlap_seconds"``, a day where it is left out."""
    wanted = asked.body.get("overlap_seconds", OVERLAP // timedelta(seconds=1))
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 <= wanted <= LONGEST_OVERLAP.total_seconds():
        raise BadQuery(f"expected 'overlap_seconds' as whole seconds of at most 90 days, found {echo(wanted)}")
    return timedelta(seconds=wanted)


def _caller(asked: Asked) -> Key:
    assert asked.key is not None  # noqa: S101 - only customer routes ask, and they were let in by a key
    return asked.key


def _own(asked: Asked) -> Key:
    """The caller's key that is named; another's is the same as none."""
    for key in asked.service.shop.books.keys(asked.customer):
        if key.id == asked.path["id"]:
            return key
    raise UnknownKey(f"no key {asked.path['id']!r}")
