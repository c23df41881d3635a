"""What a customer holds: shown, changed, previewed, paused, resumed, cancelled, by the founder or the customer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.routing import Route

from modelmint.api.routing import Asked, route
from modelmint.api.service import Service
from modelmint.commerce.billing.types import Preview
from modelmint.commerce.documents import invoice_json
from modelmint.commerce.errors import OnlyAtPeriodEnd
from modelmint.commerce.repository import Books
from modelmint.kit.canonical import plain
from modelmint.kit.period import BadPeriod, parse_moment

Owner = Callable[[Asked], str]


def subscription_routes(service: Service) -> list[Route]:
    """The founder's for any customer, and a customer's own, with a key of scope ``invoices``."""
    founder = _Pages(lambda asked: asked.path["customer"])
    customer = _Pages(lambda asked: asked.customer, own=True)
    theirs, own = "/admin/v1/customers/{customer}/subscription", "/v1/subscription"
    found = [
        route(service, theirs, "founder", GET=founder.show, POST=founder.change),
        route(service, own, "customer", scope="invoices", GET=customer.show, POST=customer.change),
    ]
    for verb in ("preview", "pause", "resume", "cancel", "unschedule"):
        found.append(route(service, f"{theirs}/{verb}", "founder", POST=getattr(founder, verb)))
        post = getattr(customer, verb)
        found.append(route(service, f"{own}/{verb}", "customer", scope="invoices", POST=post))
    return found


class _Pages:
    """Handlers; ``owner`` tells whose subscription it is, ``own`` that its owner asks."""

    def __init__(self, owner: Owner, *, own: bool = False) -> None:
        self._owner, self._own = owner, own

    def show(self, asked: Asked) -> Any:
        """What is held now, what is planned, and everything before."""
        books, who = self._whose(asked)
        return {
            "current": plain(books.contracts.current(who)),
            "scheduled": plain(books.contracts.scheduled(who)),
            "subscriptions": plain(books.subscriptions(who)),
        }

    def change(self, asked: Asked) -> Any:
        """``{"plan", "at"?}``: hold it from then on."""
        books, who = self._whose(asked)
        return plain(books.contracts.change(who, asked.text("plan"), when_asked(asked), own=self._own))

    def preview(self, asked: Asked) -> Any:
        """``{"plan"?, "at"?}``: what the change (the cancellation, without a plan) would cost; nothing is stored."""
        books, who = self._whose(asked)
        notice = asked.service.shop.notice
        plan, when = asked.optional("plan"), when_asked(asked)
        return preview_json(books.contracts.preview(who, plan, when, notice, own=self._own))

    def pause(self, asked: Asked) -> Any:
        """``{"at"?}``."""
        books, who = self._whose(asked)
        return plain(books.contracts.pause(who, when_asked(asked), own=self._own))

    def resume(self, asked: Asked) -> Any:
        """``{"at"?}``."""
        books, who = self._whose(asked)
        return plain(books.contracts.resume(who, when_asked(asked)))

    def cancel(self, asked: Asked) -> Any:
        """``{"at"?}``."""
        books, who = self._whose(asked)
        return plain(books.contracts.cancel(who, when_asked(asked), own=self._own))

    def unschedule(self, asked: Asked) -> Any:
        """Undo all that is planned."""
        books, who = self._whose(asked)
        return {"current": plain(books.contracts.unschedule(who))}

    def _whose(self, asked: Asked) -> tuple[Books, str]:
        books = asked.service.shop.books
        return books, books.customer(self._owner(asked)).id


def when_asked(asked: Asked) -> str | datetime:
    """``at`` of the body: "now" where it is left out, "period_end", or a time with its zone."""
    text = asked.text("at", default="now")
    if text in ("now", "period_end"):
        return text
    try:
        return parse_moment(text)
    except BadPeriod as error:
        raise BadPeriod(f"'at': {error.message}, or 'now', or 'period_end'") from error


def preview_json(preview: Preview) -> dict[str, Any]:
    """Drafts as invoices with number 0; what the caller cannot have at that moment as the error that it would be."""
    difference = preview.difference
    refused = {"code": OnlyAtPeriodEnd.code, "detail": preview.refused} if preview.refused else None
    return {
        "at": plain(preview.at),
        "now": [invoice_json.to_json(draft) for draft in preview.now],
        "changed": [invoice_json.to_json(draft) for draft in preview.changed],
        "difference": None if difference is None else invoice_json.money_json(difference),
        "refused": refused,
    }
