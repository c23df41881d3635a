"""The public trial page: a few calls without a key, and what a visitor leaves. Off unless the venture switches it on.

Who visits is a signed cookie; from where is a keyed digest of the network that changes daily. Both are counted in the
books, in one transaction before the call; a try that comes to nothing is given back. What cannot be used is counted by
itself, against a larger bound, and a form that is sent twice (a double click) is one try.
"""

from __future__ import annotations

import secrets
import sys
from datetime import timedelta
from functools import partial
from typing import Any

from starlette.routing import Route

from modelmint.commerce.visitors.types import Bounds, Visitor
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.attempts import network_of
from modelmint.console.errors import BadForm
from modelmint.console.page import Console, Place, page
from modelmint.console.pages.tryit import result, said_in
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import InvalidInput
from modelmint.monitoring.feedback.types import THUMBS
from modelmint.operations.feedback import give
from modelmint.operations.house import visitors
from modelmint.operations.try_out import try_out
from modelmint.venture.sections.trial_page import TrialPageSection

#: As long as used tries are remembered.
LIFE = timedelta(days=30)
#: How often one visitor, one network and everybody may leave something a day.
WORDS_LEFT = Bounds(visitor=10, address=30, everybody=1000)
_WORD = "word "
#: For each try a day of a network address, so many that it may make with what cannot be used.
_IN_VAIN = 5
#: Of a call that was made already.
_NO_BOUNDS = Bounds(sys.maxsize, sys.maxsize, sys.maxsize)
_ID = 32


def pages(console: Console) -> list[Route]:
    """None where the page is switched off."""
    if not console.shop.trial_page.enabled:
        return []
    place = Place("/try", LIFE, console.shop.max_body)
    shown = partial(_shown, console)
    return [
        page(console, "", "anyone", place=place, GET=shown, POST=partial(_tried, console)),
        page(console, "/say", "anyone", "", Place("/try", LIFE), POST=partial(_left, console)),
    ]


def _said(asked: Asked) -> TrialPageSection:
    return asked.shop.trial_page


def _bounds(asked: Asked) -> Bounds:
    said = _said(asked)
    return Bounds(said.calls, said.calls_per_address, said.calls_per_day, _IN_VAIN * said.calls_per_address)


def _visitor(console: Console, asked: Asked) -> Visitor:
    day = f"{asked.books.now():%Y-%m-%d}"
    mac = console.signer.mac
    name = mac("visitor", asked.session.id)[:_ID]
    return Visitor(name, mac(f"visitor's network on {day}", network_of(asked.address))[:_ID])


def _model(console: Console, asked: Asked) -> str:
    """The one that the venture names, else the first served."""
    served = sorted(console.predict.host.serving())
    wanted = _said(asked).model
    return wanted if wanted else served[0] if served else ""


def _shown(console: Console, asked: Asked, **more: Any) -> Page:
    said, zh = _said(asked), asked.words.language == "zh"
    values = {
        "heading": (said.title_zh if zh else said.title) or said.title or said.title_zh,
        "text": (said.text_zh if zh else said.text) or said.text or said.text_zh,
        "model": _model(console, asked),
        "left": asked.books.visitors.left(_visitor(console, asked), _bounds(asked)),
        "calls": said.calls,
        "keep_days": said.keep_days,
        "most": asked.shop.max_body,
        "once": secrets.token_hex(_ID // 2),
        "thumbs": THUMBS,
        "front": "/try",
        "shell": "public",
        "tried": None,
    }
    return Page("trial.html", {**values, **more}, pictures=True)


def _tried(console: Console, asked: Asked) -> Answer:
    """One try."""
    picture, once = asked.files.get("picture", b""), asked.form.get("once", "")
    if not picture:
        raise BadForm("expected a picture, found none; choose one or drop it")
    if not (once.isascii() and once.isalnum() and len(once) == _ID):
        raise BadForm("expected a form of this page; load it again and repeat")
    books, visitor = asked.books, _visitor(console, asked)
    form = console.signer.mac("visitor's form", f"{visitor.id} {once} {digest_bytes(picture)}")[:_ID]
    taken = books.visitors.take(visitor, _bounds(asked), form=form) is not None
    try:
        digest = books.people.digest(visitors(books, _said(asked).calls_per_day).id)
        tried = try_out(console.predict, digest, _model(console, asked), picture, explain=True, once=once)
    except BaseException as error:
        if isinstance(error, InvalidInput):
            books.visitors.refused(visitor)
        if taken:
            books.visitors.give_back(visitor, form=form)
        raise
    if taken and tried.replayed:
        books.visitors.give_back(visitor, form=form)
    elif not taken and not tried.replayed:  # its first sending came to nothing and gave the try back; this is a call
        books.visitors.take(visitor, _NO_BOUNDS)
    return _shown(console, asked, **result(console, tried, picture))


def _left(console: Console, asked: Asked) -> Answer:
    """Keep what the visitor leaves; what is said of the prediction is feedback of (visitors)."""
    books, shop = asked.books, asked.shop
    said = said_in(asked)
    prediction = asked.form.get("prediction", "") or None
    agreed = asked.form.get("consent") == "yes"
    words = asked.words("trial.consent", days=_said(asked).keep_days) if agreed else None
    email = asked.text("email", default="")
    books.visitors.take(_visitor(console, asked), WORDS_LEFT, _WORD)
    if prediction is not None and said.thumbs is not None:
        owner = visitors(books, _said(asked).calls_per_day)
        # What is personal lies with the lead alone.
        bare = type(said)(thumbs=said.thumbs)
        give(books, shop.feedback, shop.shelf, owner.customer, prediction, bare, key=owner.id)
    if email or said.comment or said.thumbs is None:
        language = asked.words.language
        books.visitors.leave(email, said.comment, prediction=prediction, language=language, consent=words)
    return Go("/try", said="trial.thanks")
