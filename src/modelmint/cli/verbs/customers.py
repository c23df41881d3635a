"""``modelmint customers``: who pays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The customer's name, as it stands on the invoice.")],
    email: Annotated[str, typer.Option("--email", help="Where to reach them.")] = "",
    plan: Annotated[str | None, typer.Option("--plan", help="Subscribe them at once.")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Referral code that they came with.")] = None,
) -> None:
    """Add a customer; with --plan they are subscribed at once, with --code attributed to its channel."""
    from modelmint.commerce.names import checked_name
    from modelmint.operations.billing import with_defaults

    session = session_of(ctx)
    name = checked_name(name, "a customer's name")
    books = session.shop.books
    if plan is not None:
        books.plan(plan)  # an unknown plan is told before anybody is added
    customer = with_defaults(books, books.add_customer(name, email, referral=code), session.shop.billing)
    subscription = books.subscribe(customer.id, plan) if plan is not None else None
    payload = {"customer": as_json(customer), "subscription": as_json(subscription)}

    def show(out: Output) -> None:
        out.say(f"Added {customer.name} ({customer.id})" + (f" on plan {plan}." if plan else "."), style="bold green")
        if plan is None:
            out.say(f"Next: {session.hint(f'plans subscribe {customer.id} PLAN')}")
        out.say(f"Next: {session.hint(f'keys add {customer.id}')}")

    session.out.answer(payload, show)


def list_(ctx: typer.Context) -> None:
    """All customers with the plan each holds now."""
    from modelmint.cli.views.selling import customers_view

    session = session_of(ctx)
    books = session.shop.books
    customers = books.customers()
    current = {customer.id: books.contracts.current(customer.id) for customer in customers}
    plans = {name: held.plan for name, held in current.items() if held is not None}
    payload = {"customers": [{**as_json(c), "plan": plans.get(c.id)} for c in customers]}
    session.out.answer(payload, lambda out: out.table(customers_view(customers, plans)))


def show(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id or exact name.")],
) -> None:
    """One customer: plans, keys, usage of this month, invoices."""
    from modelmint.cli.views import selling
    from modelmint.cli.views.people import keys_view
    from modelmint.kit.period import month_of

    session = session_of(ctx)
    books = session.shop.books
    found = books.customer(customer)
    subscriptions, keys = books.subscriptions(found.id), books.keys(found.id)
    usage, invoices = books.usage(found.id, month_of(books.now())), books.invoices(found.id)
    payload: dict[str, Any] = {
        "customer": as_json(found),
        "subscriptions": as_json(subscriptions),
        "keys": as_json(keys),
        "usage": as_json(usage),
        "invoices": as_json(invoices),
    }

    def say(out: Output) -> None:
        since = selling.day(found.created_at)
        out.say(f"{found.name}  {found.email}  {found.id}  customer since {since}", style="bold")
        names = {found.id: found.name}
        out.table(selling.subscriptions_view(subscriptions))
        out.table(keys_view(keys, names, books.now()))
        out.table(selling.usage_view([usage], names))
        out.table(selling.invoices_view(invoices))

    session.out.answer(payload, say)


def set_(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id or exact name.")],
    tax_rate: Annotated[str | None, typer.Option("--tax-rate", help='Like "19 %".')] = None,
    tax_name: Annotated[str | None, typer.Option("--tax-name", help="What the tax is called, VAT say.")] = None,
    tax_id: Annotated[str | None, typer.Option("--tax-id", help="The customer's own.")] = None,
    address: Annotated[str | None, typer.Option("--address", help="As it stands on invoices.")] = None,
    language: Annotated[str | None, typer.Option("--language", help="en or zh.")] = None,
    anchor: Annotated[
        int | None, typer.Option("--anchor", help="Day of the month on which billing begins; fixed once used.")
    ] = None,
) -> None:
    """Set tax, address, language and the day on which billing periods begin."""
    from modelmint.commerce.billing.details import share
    from modelmint.commerce.billing.types import BillingDetails

    session = session_of(ctx)
    rate = None if tax_rate is None else share(tax_rate)
    details = BillingDetails(rate, tax_name, tax_id, address, language, anchor)
    found = session.shop.books.bills.set_details(customer, details)

    def say(out: Output) -> None:
        tax = f"{found.tax_name or 'tax'} {found.tax_rate * 100:f} %".replace(".00 %", " %")
        out.say(
            f"{found.name}: {tax}, billed from day {found.anchor}, invoices in {found.language}.", style="bold green"
        )

    session.out.answer({"customer": as_json(found)}, say)


VERBS: dict[str, Callable[..., None]] = {"add": add, "list": list_, "show": show, "set": set_}
