"""Signing in with the founder's token or a customer's key, and out again."""

from __future__ import annotations

import hashlib
import hmac
from functools import partial

from starlette.routing import Route

from modelmint.commerce.errors import Unauthenticated
from modelmint.commerce.people.actor import acting
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.attempts import network_of
from modelmint.console.errors import SignInRefused, TooManyAttempts
from modelmint.console.page import PLACE, Console, actor_of, page
from modelmint.console.sessions import CUSTOMER, FOUNDER, NOBODY, Session
from modelmint.kit.digest import digest_bytes

#: What a key must allow before it opens the portal.
NEEDED = ("invoices", "keys", "usage")


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "", "anyone", GET=_front),
        page(console, "/", "anyone", GET=_front),
        page(console, "/sign-in", "anyone", GET=_form, POST=partial(_sign_in, console)),
        page(console, "/sign-out", "signed in", POST=partial(_sign_out, console)),
    ]


def home(session: Session) -> str:
    """Where a reader begins."""
    return {FOUNDER: f"{PLACE}/overview", CUSTOMER: f"{PLACE}/my/usage"}.get(session.who, f"{PLACE}/sign-in")


def _front(asked: Asked) -> Answer:
    return Go(home(asked.session))


def _form(asked: Asked, refused: str = "", status: int = 200) -> Page:
    return Page("signin.html", {"next": _within(asked.query.get("next", "")), "refused": refused}, status)


def _sign_in(console: Console, asked: Asked) -> Answer:
    """By token or key; the answer to a wrong one is the same whatever is wrong with it."""
    wait = console.attempts.wait(asked.address)
    if wait:
        raise TooManyAttempts(f"too many wrong sign-ins; try again in {wait} s", retry_after=wait)
    try:
        session = _session_for(console, asked, asked.form.get("secret", "").strip().encode())
    except (Unauthenticated, SignInRefused):
        console.attempts.failed(asked.address)
        if console.attempts.worth_a_note():
            _note(asked, "console.sign_in_refused", asked.session)
        return Page("signin.html", {"next": _within(asked.form.get("next", "")), "refused": "signin.refused"}, 401)
    if session is None:
        return Page("signin.html", {"next": _within(asked.form.get("next", "")), "refused": "signin.scopes"}, 403)
    _note(asked, "console.signed_in", session)
    return Go(_within(asked.form.get("next", "")) or home(session), session=session)


def _note(asked: Asked, action: str, session: Session) -> None:
    """Who came, went or was turned away, and from where; never with what."""
    data = {"network": network_of(asked.address)}
    if session.customer:
        data["customer"] = session.customer
    with acting(actor_of(session)):
        asked.books.people.note(action, session.key or session.who or "console", data)


def _session_for(console: Console, asked: Asked, secret: bytes) -> Session | None:
    """None for a good key that may do too little."""
    now = asked.shop.clock.now()
    token = console.admin_token.encode()
    if hmac.compare_digest(hashlib.sha256(secret).digest(), hashlib.sha256(token).digest()):
        return console.sessions.open(now, FOUNDER)
    if not 0 < len(secret) <= 256:
        raise SignInRefused("expected a token or a key")
    key = asked.books.key_by_digest(digest_bytes(secret))
    if not set(NEEDED) <= set(key.scopes):
        return None
    return console.sessions.open(now, CUSTOMER, key.customer, key.id)


def _sign_out(console: Console, asked: Asked) -> Answer:
    now = asked.shop.clock.now()
    console.sessions.end(asked.session, now)
    _note(asked, "console.signed_out", asked.session)
    return Go(f"{PLACE}/sign-in", said="said.signed_out", session=console.sessions.open(now, NOBODY))


def _within(target: str) -> str:
    """``target`` where it is a page of ours, else nothing: a sign-in leads nowhere else."""
    inside = target.startswith(f"{PLACE}/") and "//" not in target and "\\" not in target
    return target if inside and target.isprintable() else ""
