"""Trying a model: a picture in; the answer with its heat map, what it cost and is billed, what one says of it.

A customer's try is a call on the key that opened the session. The founder's is one of the house's own customer.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any

from starlette.routing import Route

from modelmint.commerce.billing.prorate import share_held
from modelmint.commerce.metering.types import UsageRow
from modelmint.commerce.plan_terms import terms_of
from modelmint.commerce.rating.next_call import Fed, price_of
from modelmint.commerce.rating.share import WHOLE, Share
from modelmint.commerce.types import Plan
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.errors import BadForm
from modelmint.console.page import PLACE, Console, Place, Reader, page
from modelmint.data.preview import preview
from modelmint.inference.explain.heatmap import LONGEST
from modelmint.kit.errors import ModelmintError
from modelmint.kit.period import Period, billing_period
from modelmint.monitoring.feedback.types import THUMBS, Said
from modelmint.operations.feedback import give
from modelmint.operations.house import house
from modelmint.operations.keep_inputs import withdraw
from modelmint.operations.try_out import Tried, cost_of, try_out

#: What an explanation alone feeds.
_EXPLANATION = {"explanations": Decimal(1)}


@dataclass(frozen=True, slots=True)
class Payer:
    """On whose key a try is made."""

    customer: str
    key: str


def pages(console: Console) -> list[Route]:
    """The founder's and the customer's."""
    return [
        *_of(console, "/try", "founder"),
        *_of(console, "/my/try", "customer"),
        page(console, "/my/try/consent", "customer", "/my/try", POST=_consent),
    ]


def _of(console: Console, path: str, reader: Reader) -> list[Route]:
    place = Place(files=console.shop.max_body)
    return [
        page(console, path, reader, place=place, GET=partial(_form, console), POST=partial(_tried, console)),
        page(console, f"{path}/say", reader, path, POST=_say),
    ]


def _payer(asked: Asked) -> Payer:
    """Of a customer its own session's key; of the founder the house's."""
    if asked.founder:
        key = house(asked.books)
        return Payer(key.customer, key.id)
    return Payer(asked.customer, asked.session.key)


def _form(console: Console, asked: Asked, **more: Any) -> Page:
    """The form, and below it what came of it."""
    models = sorted(console.predict.host.serving())
    chosen = asked.form.get("model") or asked.query.get("model") or (models[0] if models else "")
    here = f"{PLACE}/try" if asked.founder else f"{PLACE}/my/try"
    held = None if asked.founder else _held(asked)
    explanation = None if held is None else _price(asked, held, Fed(chosen, "", "ok", _EXPLANATION), _used(asked))
    said = asked.shop.privacy
    values = {
        "models": models,
        "model": chosen,
        "here": here,
        "once": secrets.token_hex(16),
        "explain_price": explanation,
        # Where it costs, it is asked for and not assumed.
        "explain": not (explanation and explanation.amount),
        "most": asked.shop.max_body,
        "plan": held,
        "stores": said.store_inputs,
        "keep_days": said.keep_days,
        "agrees": not asked.founder and asked.books.people.consents(asked.customer),
        "thumbs": THUMBS,
        "tried": None,
    }
    return Page("tryit.html", {**values, **more}, pictures=True)


def _tried(console: Console, asked: Asked) -> Answer:
    """One call, and all there is to say of it."""
    picture = asked.files.get("picture", b"")
    if not picture:
        raise BadForm("expected a picture, found none; choose one or drop it")
    once = asked.form.get("once", "")
    if not (once.isascii() and once.isalnum() and len(once) == 32):
        raise BadForm("expected a form of this page; load it again and repeat")
    explain = asked.form.get("explain") == "yes"
    payer, before = _payer(asked), _used(asked)
    digest = asked.books.people.digest(payer.key)
    tried = try_out(console.predict, digest, asked.form.get("model", ""), picture, explain=explain, once=once)
    more = {
        **result(console, tried, picture),
        "explain": explain,
        "cost": cost_of(asked.shop.shelf, _hourly(asked), tried),
        "bills": _bills(asked, tried, _before(_used(asked), tried.fed) if tried.replayed else before),
        "used": None if asked.founder else int(_calls(asked)),
    }
    return _form(console, asked, **more)


def result(console: Console, tried: Tried, picture: bytes) -> dict[str, Any]:
    """What the answer itself shows: pictures as data, labels to choose a truth from."""
    heat = tried.explanation.png if tried.explanation else None
    lane = console.predict.host.serving().get(tried.model)
    return {
        "tried": tried,
        "picture": _shown(picture),
        "heat": base64.b64encode(heat).decode() if heat else "",
        "labels": () if lane is None else lane[1].spec.labels,
    }


def _shown(picture: bytes) -> str:
    """The picture as large as its heat map, base64; "" where it cannot be shown."""
    try:
        return base64.b64encode(preview(picture, LONGEST)).decode()
    except ModelmintError:
        return ""


def _hourly(asked: Asked) -> Any:
    return None if asked.shop.venture is None else asked.shop.venture.file.machine.price_per_hour


def _held(asked: Asked) -> Plan | None:
    held = asked.books.contracts.current(asked.customer)
    return None if held is None else asked.books.plan(held.plan, held.plan_version)


def _period(asked: Asked) -> Period:
    anchor = 1 if asked.founder else asked.books.customer(asked.customer).anchor
    return billing_period(asked.books.now(), anchor)


def _used(asked: Asked) -> list[UsageRow]:
    """What the customer used in this billing period; for the founder a new customer's nothing."""
    if asked.founder:
        return []
    return asked.books.meters.table(asked.customer, _period(asked), ("model", "variant", "state"))


def _before(used: list[UsageRow], fed: Fed) -> list[UsageRow]:
    """What was used before a call that is in ``used``: a form that is sent again is priced as it was the first time."""
    where, found = (fed.model, fed.variant, fed.state), []
    for row in used:
        spent = fed.quantities.get(row.meter) if (row.model, row.variant, row.state) == where else None
        found.append(row if spent is None else replace(row, n=row.n - 1, quantity=row.quantity - spent))
    return found


def _calls(asked: Asked) -> Decimal:
    return sum((row.quantity for row in _used(asked) if row.meter == "calls"), Decimal(0))


def _price(asked: Asked, plan: Plan, fed: Fed, used: list[UsageRow]) -> Any:
    return price_of(plan, fed, used, _period(asked).start, _share(asked, plan))


def _share(asked: Asked, plan: Plan) -> Share:
    """Of the billing period, for what the plan includes in it."""
    held = None if asked.founder else asked.books.contracts.current(asked.customer)
    if held is None or not plan.prorate_included:
        return WHOLE
    return share_held(asked.books.subscriptions(asked.customer), held.root, _period(asked))


def _bills(asked: Asked, tried: Tried, used: list[UsageRow]) -> list[tuple[Plan, Any, str]]:
    """(plan, price of this call, terms): the customer's own plan; for the founder every plan on sale."""
    plans = asked.books.plans() if asked.founder else [plan for plan in (_held(asked),) if plan is not None]
    language = asked.words.language
    return [(plan, _price(asked, plan, tried.fed, used), terms_of(plan, language)) for plan in plans]


def _say(asked: Asked) -> Answer:
    """Feedback of whoever tried."""
    books, shop = asked.books, asked.shop
    payer = _payer(asked)
    give(
        books,
        shop.feedback,
        shop.shelf,
        payer.customer,
        asked.text("prediction"),
        said_in(asked),
        key=payer.key,
    )
    return Go(f"{PLACE}/try" if asked.founder else f"{PLACE}/my/try", said="said.feedback")


def said_in(asked: Asked) -> Said:
    """Truth, thumbs and comment of a form; raises ``BadForm``."""
    thumbs = asked.form.get("thumbs", "") or None
    if thumbs is not None:
        asked.chosen("thumbs", THUMBS)
    comment = asked.text("comment", default="", lines=True).replace("\r\n", "\n")
    return Said(asked.form.get("truth", "") or None, thumbs, comment)


def _consent(asked: Asked) -> Answer:
    """Let the venture keep what the customer sends, or no longer."""
    if asked.chosen("inputs", ("yes", "no")) == "yes":
        asked.books.people.set_consent(asked.customer, True)
        return Go(f"{PLACE}/my/try", said="said.consent_given")
    withdraw(asked.books, asked.shop.inputs, asked.customer)
    return Go(f"{PLACE}/my/try", said="said.consent_withdrawn")
