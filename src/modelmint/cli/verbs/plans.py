"""``modelmint plans``: what is on sale, and who holds what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def list_(ctx: typer.Context) -> None:
    """Plans on sale (from venture.toml), with how many customers hold each."""
    from modelmint.cli.views.selling import plan_price, plans_view

    session = session_of(ctx)
    books = session.shop.books
    plans = books.plans()
    holders = Counter[str]()
    for version in books.plan_versions():
        holders[version.plan.name] += version.holders
    payload = {"plans": [{**as_json(p), "price": plan_price(p), "customers": holders[p.name]} for p in plans]}
    session.out.answer(payload, lambda out: out.table(plans_view(plans, holders)))


def subscribe(
    ctx: typer.Context,
    customer: Annotated[str, typer.Argument(help="Id or exact name of the customer.")],
    plan: Annotated[str, typer.Argument(help="Name of the plan, as in: plans list.")],
) -> None:
    """Put a customer on a plan from now on; the former one ends at the same moment."""
    session = session_of(ctx)
    books = session.shop.books
    holder = books.customer(customer)
    subscription = books.subscribe(holder.id, plan)

    def show(out: Output) -> None:
        out.say(f"{holder.name} holds {subscription.plan} (version {subscription.plan_version[:12]}) from now on.")

    session.out.answer({"customer": as_json(holder), "subscription": as_json(subscription)}, show)


VERBS: dict[str, Callable[..., None]] = {"list": list_, "subscribe": subscribe}
