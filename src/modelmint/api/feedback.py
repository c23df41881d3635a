"""``/v1/feedback``: what customers say of predictions; what it comes to, for the founder. And what they agree to."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from modelmint.api.body import header
from modelmint.api.errors import BadHeader, BadQuery
from modelmint.api.routing import Asked, Reply, echo, route
from modelmint.api.service import Service
from modelmint.kit.canonical import plain
from modelmint.monitoring.feedback.agreement import summary
from modelmint.monitoring.feedback.types import Feedback, Page, Said
from modelmint.operations.feedback import give
from modelmint.operations.keep_inputs import withdraw

_FIELDS = ("prediction", "truth", "thumbs", "comment")
_LONGEST_KEY = 255
CREATED = 201


def feedback_routes(service: Service) -> list[Route]:
    """All of them. Whoever may call may say what it thinks of the answers."""
    return [
        route(service, "/v1/feedback", "customer", scope="predict", GET=own, POST=add),
        route(service, "/v1/privacy", "customer", scope="keys", GET=privacy, PUT=agree),
        route(service, "/admin/v1/feedback", "founder", GET=everybodys),
        route(service, "/admin/v1/feedback/summary", "founder", GET=comes_to),
    ]


def add(asked: Asked) -> Any:
    """Store it: 201, or 200 with the row that says the same already."""
    shop = asked.service.shop
    unknown = sorted(set(asked.body) - set(_FIELDS))
    if unknown:
        raise BadQuery(f"expected the fields {', '.join(_FIELDS)}, found {', '.join(map(echo, unknown[:5]))}")
    said = Said(_text(asked, "truth"), _text(asked, "thumbs"), _text(asked, "comment") or "")
    key = asked.key
    assert key is not None  # noqa: S101 - a customer's route
    found, new = give(
        shop.books,
        shop.feedback,
        shop.shelf,
        asked.customer,
        asked.text("prediction"),
        said,
        key=key.id,
        idempotency_key=_idempotency_key(asked),
    )
    return Reply(shown(found), status=CREATED if new else 200)


def _text(asked: Asked, name: str) -> str | None:
    value = asked.body.get(name)
    if value is not None and not isinstance(value, str):
        raise BadQuery(f"expected {name!r} as a text, found {echo(value)}")
    return value


def _idempotency_key(asked: Asked) -> str | None:
    given = header(asked.scope, b"idempotency-key")
    if given is None:
        return None
    if not 0 < len(given) <= _LONGEST_KEY or not given.isascii() or not given.decode().isprintable():
        raise BadHeader(f"expected an Idempotency-Key of 1 to {_LONGEST_KEY} printable ASCII characters")
    return given.decode()


def own(asked: Asked) -> Any:
    """The caller's, the newest first."""
    return _listed(asked, asked.customer)


def everybodys(asked: Asked) -> Any:
    """Everybody's, or ``?customer=``'s, the newest first."""
    return _listed(asked, _customer(asked))


def comes_to(asked: Asked) -> Any:
    """Agreement with its interval and n: overall, by release and model, by label."""
    return plain(summary(asked.service.shop.feedback, _customer(asked)))


def _customer(asked: Asked) -> str | None:
    wanted = asked.query.get("customer")
    return None if wanted is None else asked.service.shop.books.customer(wanted).id


def _listed(asked: Asked, customer: str | None) -> Any:
    before = asked.whole("before", 0) or None
    _, limit = asked.page()
    page: Page = asked.service.shop.feedback.page(customer, before=before, limit=limit)
    return {"feedback": [shown(row) for row in page.rows], "next": page.next}


def shown(row: Feedback) -> dict[str, Any]:
    """As JSON."""
    return {name: value for name, value in plain(row).items() if name != "seq"}


def privacy(asked: Asked) -> Any:
    """What is kept of what the caller sends, and whether it agreed to it."""
    shop = asked.service.shop
    said = shop.privacy
    agreed = shop.books.people.consents(asked.customer)
    return {
        "inputs": agreed,
        "stored": said.store_inputs and agreed,
        "venture_stores_inputs": said.store_inputs,
        "keep_days": said.keep_days,
        "share": said.share,
        "kept": sum(1 for _ in shop.inputs.all(asked.customer)),
    }


def agree(asked: Asked) -> Any:
    """``{"inputs": true}`` lets the venture keep what the caller sends; ``false`` ends it and deletes what was kept."""
    shop, wanted = asked.service.shop, asked.body.get("inputs")
    if not isinstance(wanted, bool) or len(asked.body) != 1:
        raise BadQuery(f"expected {{'inputs': true}} or {{'inputs': false}}, found {echo(dict(asked.body))}")
    if wanted:
        shop.books.people.set_consent(asked.customer, True)
        return privacy(asked)
    deleted = withdraw(shop.books, shop.inputs, asked.customer)
    return {**privacy(asked), "deleted": deleted}
