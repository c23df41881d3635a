"""The founder's customers: all of them, a new one, and the frame around one."""

from __future__ import annotations

from starlette.routing import Route

from modelmint.commerce.types import Customer, Subscription
from modelmint.console import navigation
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.page import PLACE, Console, page
from modelmint.operations.billing import with_defaults

PAGE_ROWS = 50


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/customers", "founder", GET=everyone, POST=add),
        page(console, "/customers/{customer}", "founder", GET=one),
    ]


def about(asked: Asked) -> dict[str, object]:
    """What every page about one customer shows above its content; raises ``UnknownCustomer``."""
    customer = asked.books.customer(asked.customer)
    tabs = [(entry.words, asked.home + entry.path) for entry in navigation.TABS] if asked.founder else []
    return {"customer": customer, "tabs": tabs, "home": asked.home}


def holding(asked: Asked, customer: str) -> Subscription | None:
    """What a customer holds now."""
    now = asked.books.now()
    for held in asked.books.subscriptions(customer):
        if held.starts_at <= now and (held.ends_at is None or now < held.ends_at):
            return held
    return None


def everyone(asked: Asked) -> Answer:
    """A page of the list, of those whose name or e-mail holds what was looked for, and the form for a new one."""
    wanted, begin = asked.query.get("q", "").strip(), asked.place("from")
    folded = wanted.casefold()
    found = [one for one in asked.books.customers() if folded in one.name.casefold() or folded in one.email.casefold()]
    rows: list[tuple[Customer, Subscription | None]] = [
        (customer, holding(asked, customer.id)) for customer in found[begin : begin + PAGE_ROWS]
    ]
    more = begin + PAGE_ROWS if len(found) > begin + PAGE_ROWS else 0
    values = {"rows": rows, "plans": asked.books.plans(), "wanted": wanted, "more": more, "count": len(found)}
    return Page("customers.html", values)


def add(asked: Asked) -> Answer:
    """A new customer; with a plan subscribed at once."""
    plan = asked.form.get("plan", "")
    if plan:
        asked.books.plan(plan)  # refuse before anything is stored
    code = asked.form.get("referral", "").strip() or None
    customer = asked.books.add_customer(asked.text("name"), asked.text("email", default=""), referral=code)
    with_defaults(asked.books, customer, asked.shop.billing)
    if plan:
        asked.books.subscribe(customer.id, plan)
    return Go(f"{PLACE}/customers/{customer.id}/keys", said="said.customer_added")


def one(asked: Asked) -> Answer:
    """A customer's first page."""
    return Go(f"{asked.home}/usage")
