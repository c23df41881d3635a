"""Routes around page functions: who may see them, what their forms must carry, what every answer says of itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Literal
from urllib.parse import parse_qsl, quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from modelmint.bootstrap import Shop
from modelmint.commerce.errors import Unauthenticated
from modelmint.commerce.people.actor import SYSTEM, acting
from modelmint.console.answers import Answer, Asked, Download, Go, Handler, Page
from modelmint.console.attempts import Attempts
from modelmint.console.errors import BadForm, FormNotOurs, FormTooLarge, FormTooSlow, NotYourPage
from modelmint.console.forms import Form, read_form
from modelmint.console.frame import Frame
from modelmint.console.problems import again, said
from modelmint.console.sessions import CUSTOMER, FOUNDER, LIFE, NOBODY, Session, Sessions, Signer
from modelmint.console.words import Words, choose
from modelmint.console.words.told import told
from modelmint.kit.errors import ModelmintError
from modelmint.kit.ids import new_id
from modelmint.operations.predict import Predict

_log = logging.getLogger("modelmint.console")
SESSION, SAID, LANGUAGE = "mm_session", "mm_said", "mm_lang"
PLACE = "/console"
#: Nothing from elsewhere, no script or style inside a page, no frame around it.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
#: Of a page whose script asks this server for more, and of one that shows pictures which are stored nowhere.
FETCHING, SHOWING = f"{POLICY}; connect-src 'self'", POLICY.replace("img-src 'self'", "img-src 'self' data:")
SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
#: Forms with pictures that are worked on at once in a process: each holds a thread while it waits for a model.
WAITING = 8
Reader = Literal["anyone", "founder", "customer", "signed in"]
StatusOf = Callable[[ModelmintError], int]


@dataclass(frozen=True)
class Place:
    """Where pages lie, with cookies of their own, how long a session there lives, and what its forms may carry."""

    path: str = PLACE
    life: timedelta = LIFE
    #: Bytes of files that a form may carry; 0 for none.
    files: int = 0


WITHIN = Place()


@dataclass(frozen=True)
class Console:
    """What one process's pages share."""

    shop: Shop
    admin_token: str
    status_of: StatusOf
    predict: Predict
    signer: Signer
    sessions: Sessions
    attempts: Attempts
    frame: Frame
    #: Functions that show a page, by its path: a form that cannot be taken is shown on its page again.
    shown: dict[str, Handler] = field(default_factory=dict)
    #: Of those forms alone, so that no other page and no route waits behind them.
    waiting: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(WAITING, "console-try"))


class _Later(Response):
    """A document that is still being made, while no thread waits for it."""

    def render(self, content: Any) -> bytes:
        self._future: Future[bytes] = content
        return b""

    async def made(self) -> None:
        """Raises what making it raised."""
        self.body = await asyncio.wrap_future(self._future)
        self.headers["content-length"] = str(len(self.body))


class PageRoute:
    """An ASGI endpoint around page functions, one per method, which run in a thread and may block."""

    def __init__(
        self, console: Console, reader: Reader, handlers: Mapping[str, Handler], form: str, place: Place
    ) -> None:
        self._console, self._reader, self._handlers, self._form = console, reader, handlers, form
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; every error leaves as a page."""
        request = Request(scope, receive)
        form, refused = Form(), None
        try:
            if request.method == "POST" and self._lets_in(request):
                try:
                    form = await read_form(request, self._place.files)
                except (BadForm, FormTooLarge, FormTooSlow) as error:
                    if not self._place.files:
                        raise
                    refused = error  # told on the page itself, whose readers did nothing wrong but choose a large file
            threads = self._console.waiting if form.files else None
            answer = partial(copy_context().run, self._answer, request, form, refused)
            response = await asyncio.get_running_loop().run_in_executor(threads, answer)
            if isinstance(response, _Later):
                await response.made()
        except ClientDisconnect:
            return
        except ModelmintError as error:  # before there was a page to speak of
            text = told(str(error), _language(request))
            response = Response(text, self._console.status_of(error), media_type="text/plain")
        for name, value in SECURITY.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("content-security-policy", POLICY)
        response.headers.setdefault("cache-control", "no-store")
        await response(scope, receive, send)

    def _lets_in(self, request: Request) -> bool:
        """Whether a form is worth reading: strangers send none to a page that is not for them."""
        if self._reader == "anyone":
            return True
        session = self._console.sessions.read(request.cookies.get(SESSION), self._console.shop.clock.now())
        return session is not None and session.who != NOBODY

    def _answer(self, request: Request, form: Form, refused: ModelmintError | None) -> Response:
        console, now = self._console, self._console.shop.clock.now()
        known = console.sessions.read(request.cookies.get(SESSION), now)
        session = known or console.sessions.open(now, life=self._place.life)
        language = _language(request)
        asked = _asked(console.shop, request, session, Words(language), form)
        with acting(actor_of(session)):
            try:
                answer = self._run(asked, request.method, refused)
            except Unauthenticated:
                answer = self._to_sign_in(asked, request)
            except Exception as error:
                answer = self._problem(error, asked)
            response = self._respond(answer, asked, request)
        if known is None and isinstance(answer, Page):  # its forms need a session to belong to
            self._set(response, request, SESSION, console.sessions.cookie(session))
        if request.query_params.get("lang") == language:
            self._set(response, request, LANGUAGE, language, seconds=365 * 86_400)
        return response

    def _run(self, asked: Asked, method: str, refused: ModelmintError | None) -> Answer:
        """The page function, for whom it is meant and with a form of ours."""
        if self._reader != "anyone":
            if asked.session.who == NOBODY:
                raise Unauthenticated("sign in first")
            if self._reader in (FOUNDER, CUSTOMER) and asked.session.who != self._reader:
                raise NotYourPage("this page is for others")
        if asked.session.who == CUSTOMER:
            asked = self._checked_key(asked)
        fits = self._console.sessions.form_fits
        if method == "POST" and refused is None and not fits(asked.session, asked.form.get("token", "")):
            raise FormNotOurs("expected a form of this session; load the page again and repeat")
        try:
            if refused is not None:
                raise refused
            return self._handlers["GET" if method == "HEAD" else method](asked)
        except Unauthenticated:
            raise
        except ModelmintError as error:
            form, status = self._console.shown.get(self._place.path + self._form), self._console.status_of(error)
            if method != "POST" or form is None or status >= 500:
                raise
            return again(form, asked, error, status)

    def _to_sign_in(self, asked: Asked, request: Request) -> Go:
        """A reader whom nothing lets in, or nothing any more; afterwards it gets what it asked for."""
        target = f"?next={quote(request.url.path)}" if request.method != "POST" else ""
        if asked.session.who == NOBODY:
            return Go(f"{PLACE}/sign-in{target}")
        fresh = self._console.sessions.open(self._console.shop.clock.now())
        return Go(f"{PLACE}/sign-in{target}", said="said.sign_in_again", session=fresh)

    def _checked_key(self, asked: Asked) -> Asked:
        """A customer's session lasts no longer than the key that opened it."""
        now = self._console.shop.clock.now()
        for key in asked.books.keys(asked.session.customer):
            if key.id == asked.session.key and key.revoked_at is None and (key.expires_at or now) >= now:
                return asked
        raise Unauthenticated("the key that opened this session is revoked or expired")

    def _problem(self, error: Exception, asked: Asked) -> Page:
        if not isinstance(error, ModelmintError):
            incident = new_id("inc")
            _log.error("incident %s", incident, exc_info=error)
            return Page("error.html", {"code": "internal_error", "detail": incident, "problems": ()}, 500)
        status = self._console.status_of(error)
        if status >= 500:
            _log.error("console: %s: %s", error.code, error)
        return Page("error.html", said(error, asked), status)

    def _respond(self, answer: Answer, asked: Asked, request: Request) -> Response:
        if isinstance(answer, Download):
            later = isinstance(answer.content, Future)
            response = (_Later if later else Response)(answer.content, media_type=answer.media_type)
            if answer.name is not None:
                response.headers["content-disposition"] = f'attachment; filename="{answer.name}"'
            if answer.policy is not None:
                response.headers["content-security-policy"] = answer.policy
            return response
        if isinstance(answer, Go):
            redirect = RedirectResponse(answer.to, 303)
            if answer.said:
                self._set(redirect, request, SAID, self._console.signer.sign("said", answer.said), seconds=60)
            if answer.session is not None:
                self._set(redirect, request, SESSION, self._console.sessions.cookie(answer.session))
            return redirect
        message = self._console.signer.read("said", request.cookies.get(SAID, "")) or ""
        token = self._console.sessions.form_token(asked.session)
        path = (self._place.path + self._form.format(**asked.path)) if "failed" in answer.values else request.url.path
        content = self._console.frame.render(answer, asked, path, token, message)
        page = Response(content, answer.status, media_type="text/html")
        if answer.fetches or answer.pictures:
            page.headers["content-security-policy"] = FETCHING if answer.fetches else SHOWING
        if message:
            page.delete_cookie(SAID, path=self._place.path)
        return page

    def _set(self, response: Response, request: Request, name: str, value: str, seconds: int = 0) -> None:
        seconds = seconds or int(self._place.life.total_seconds())
        where, secure = self._place.path, request.url.scheme == "https"
        response.set_cookie(name, value, seconds, path=where, secure=secure, httponly=True, samesite="strict")


def page(
    console: Console, path: str, reader: Reader, on: str = "", place: Place = WITHIN, **handlers: Handler
) -> Route:
    """One path; ``handlers`` by method (``GET=...``), GET answers HEAD too.

    ``on`` is the path of the page that the form posted here stands on, where that is another one.
    """
    if "GET" in handlers:
        console.shown[place.path + path] = handlers["GET"]
    endpoint = PageRoute(console, reader, handlers, on or path, place)
    return Route(place.path + path, endpoint=endpoint, methods=list(handlers))


def about_one(console: Console, path: str, on: str = "", **handlers: Handler) -> list[Route]:
    """The same page about one customer, below the founder's list and in the customer's own portal."""
    founders, own = "/customers/{customer}", "/my"
    return [
        page(console, founders + path, "founder", founders + (on or path), WITHIN, **handlers),
        page(console, own + path, "customer", own + (on or path), WITHIN, **handlers),
    ]


def actor_of(session: Session) -> str:
    """Who does what is done in a session."""
    if session.who == CUSTOMER:
        return f"customer:{session.customer}"
    return session.who or SYSTEM


def _language(request: Request) -> str:
    wanted = request.query_params.get("lang"), request.cookies.get(LANGUAGE)
    return choose(*wanted, accepted=request.headers.get("accept-language", ""))


def _asked(shop: Shop, request: Request, session: Session, words: Words, form: Form) -> Asked:
    host = request.headers.get("host", "")
    return Asked(
        shop=shop,
        session=session,
        words=words,
        path=request.path_params,
        query={name: value for name, value in parse_qsl(request.url.query) if name != "lang"},
        form={name: values[-1] for name, values in form.fields.items()},
        many=form.fields,
        files=form.files,
        origin=f"{request.url.scheme}://{host}",
        address=request.client.host if request.client else "",
    )
