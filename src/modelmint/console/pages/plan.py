"""What a customer holds: changed after a look at what that would do to the invoice, paused, resumed, cancelled."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.commerce.billing.types import Invoice, Preview
from modelmint.commerce.plan_terms import terms_of
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.documents import shown
from modelmint.console.errors import BadForm
from modelmint.console.page import Console, about_one
from modelmint.console.pages.customers import about
from modelmint.kit.money import Money

WHEN = ("now", "period_end")


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        *about_one(console, "/plan", GET=plan, POST=change),
        *about_one(console, "/plan/preview", GET=preview),
        *about_one(console, "/plan/pause", "/plan", POST=pause),
        *about_one(console, "/plan/resume", "/plan", POST=resume),
        *about_one(console, "/plan/keep", "/plan", POST=keep),
    ]


def plan(asked: Asked) -> Answer:
    """What is held, what is planned, what could be held instead."""
    frame = about(asked)
    contracts = asked.books.contracts
    held = contracts.current(asked.customer)
    language = asked.words.language
    choices = [(one, terms_of(one, language)) for one in asked.books.plans()]
    values: dict[str, object] = {
        "held": held,
        "held_plan": asked.books.plan(held.plan, held.plan_version) if held else None,
        "planned": contracts.scheduled(asked.customer),
        "choices": choices,
    }
    if held is not None:
        values["held_terms"] = terms_of(asked.books.plan(held.plan, held.plan_version), language)
        values["outdated"] = any(one.name == held.plan and one.version != held.plan_version for one, _ in choices)
    return Page("plan.html", {**frame, **values})


def preview(asked: Asked) -> Answer:
    """Invoices as they are on the way to be, and as they would be; nothing is stored."""
    frame = about(asked)
    name, when = asked.query.get("plan", ""), _when(asked.query.get("when", "now"))
    found = _looked_at(asked, name, when)
    if found.refused and "when" not in asked.query:
        when = "period_end"
        found = _looked_at(asked, name, when)
    wanted = asked.books.plan(name) if name else None
    values = {
        "wanted": wanted,
        "terms": terms_of(wanted, asked.words.language) if wanted else "",
        "when": when,
        "at": found.at,
        "whens": WHEN,
        "sides": [
            ("plan.as_it_is", [shown(asked, invoice) for invoice in found.now], total(found.now)),
            ("plan.changed", [shown(asked, invoice) for invoice in found.changed], total(found.changed)),
        ],
        "difference": found.difference,
        "refused": found.refused,
    }
    return Page("preview.html", {**frame, **values})


def _looked_at(asked: Asked, plan: str, when: str) -> Preview:
    contracts = asked.books.contracts
    return contracts.preview(asked.customer, plan or None, when, asked.shop.notice, own=not asked.founder)


def total(invoices: tuple[Invoice, ...]) -> list[Money]:
    """The sum of each currency."""
    sums: dict[str, Money] = {}
    for invoice in invoices:
        sums[invoice.currency] = sums.get(invoice.currency, Money(0, invoice.currency)) + invoice.total
    return list(sums.values())


def change(asked: Asked) -> Answer:
    """Hold another plan, or none; the version is the one that was looked at, or nothing happens."""
    name, when = asked.form.get("plan", ""), _when(asked.form.get("when", ""))
    own = not asked.founder
    if not name:
        asked.books.contracts.cancel(asked.customer, when, own=own)
        return Go(f"{asked.home}/plan", said="said.cancelled" if when == "now" else "said.cancel_planned")
    if asked.books.plan(name).version != asked.form.get("version"):
        return Go(f"{asked.home}/plan/preview?plan={name}&when={when}", said="said.terms_changed")
    asked.books.contracts.change(asked.customer, name, when, own=own)
    return Go(f"{asked.home}/plan", said="said.plan_changed" if when == "now" else "said.change_planned")


def pause(asked: Asked) -> Answer:
    """No fee and no call until it is resumed; customers pause at the end of the period."""
    when = "now" if asked.founder else "period_end"
    asked.books.contracts.pause(asked.customer, when, own=not asked.founder)
    return Go(f"{asked.home}/plan", said="said.paused" if when == "now" else "said.pause_planned")


def resume(asked: Asked) -> Answer:
    """Go on."""
    asked.books.contracts.resume(asked.customer, "now")
    return Go(f"{asked.home}/plan", said="said.resumed")


def keep(asked: Asked) -> Answer:
    """Undo what is planned."""
    asked.books.contracts.unschedule(asked.customer)
    return Go(f"{asked.home}/plan", said="said.kept")


def _when(text: str) -> str:
    if text not in WHEN:
        raise BadForm(f"expected when as one of {', '.join(WHEN)}, found {text[:20]!r}")
    return text
