"""All pages of the console, to be mounted beside the API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from modelmint.bootstrap import Shop
from modelmint.console.answers import Answer, Asked
from modelmint.console.attempts import Attempts
from modelmint.console.errors import NoSuchPage
from modelmint.console.frame import Frame
from modelmint.console.page import PLACE, Console, StatusOf, page
from modelmint.console.pages import (
    account,
    customers,
    data,
    earn,
    feedback,
    invoices,
    keys,
    ledger,
    log,
    messages,
    overview,
    partners,
    payments,
    plan,
    plans,
    release,
    signing,
    trial,
    tryit,
    usage,
)
from modelmint.console.sessions import Sessions, Signer
from modelmint.operations.predict import Predict

STATIC = Path(__file__).parent / "static"
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def console_routes(shop: Shop, admin_token: str, status_of: StatusOf, predict: Predict) -> Sequence[BaseRoute]:
    """Every page, in one process; handed to the server by ``cli``. What is tried is a paid call by ``predict``."""
    signer = Signer(admin_token)
    sessions = Sessions(signer, shop.workspace / "run" / "signed-out")
    console = Console(shop, admin_token, status_of, predict, signer, sessions, Attempts(), Frame())
    return [
        *signing.pages(console),
        *overview.pages(console),
        *customers.pages(console),
        *usage.pages(console),
        *tryit.pages(console),
        *feedback.pages(console),
        *trial.pages(console),
        *earn.pages(console),
        *plan.pages(console),
        *plans.pages(console),
        *account.pages(console),
        *release.pages(console),
        *data.pages(console),
        *invoices.pages(console),
        *payments.pages(console),
        *keys.pages(console),
        *partners.pages(console),
        *ledger.pages(console),
        *messages.pages(console),
        *log.pages(console),
        Route(f"{PLACE}/static/{{name}}", _static_files()),
        page(console, "/{rest:path}", "anyone", GET=_nothing, POST=_nothing),
    ]


def _nothing(_: Asked) -> Answer:
    raise NoSuchPage("there is no such page")


def _static_files() -> Callable[[Request], Awaitable[Response]]:
    files = {path.name: (path.read_bytes(), _KINDS[path.suffix]) for path in STATIC.iterdir() if path.suffix in _KINDS}

    async def static(request: Request) -> Response:
        content, kind = files.get(request.path_params["name"], (None, ""))
        if content is None:
            return Response(status_code=404)
        # Checked again at every start of a page, so that a new version is never shown in the old one's clothes.
        headers = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
        return Response(content, media_type=kind, headers=headers)

    return static
