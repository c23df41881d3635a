"""``modelmint plans``: what is on sale, and who holds what (what happens to it later: ``plan_changes``)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from modelmint.cli.output import Output
from modelmint.cli.session import session_of
from modelmint.cli.views.plain import as_json


def list_(
    ctx: typer.Context,
    versions: Annotated[bool, typer.Option("--versions", help="Every version ever, and those to come.")] = False,
) -> None:
    """Plans on sale, with how many customers hold each."""
    from modelmint.cli.views.holding import versions_view
    from modelmint.cli.views.selling import plans_view
    from modelmint.commerce.plan_terms import terms_of

    session = session_of(ctx)
    books = session.shop.books
    if versions:
        found = books.plan_versions()
        session.out.answer({"versions": as_json(found)}, lambda out: out.table(versions_view(found)))
        return
    plans = books.plans()
    holders = Counter[str]()
    for version in books.plan_versions():
        holders[version.plan.name] += version.holders
    payload = {"plans": [{**as_json(p), "price": terms_of(p), "customers": holders[p.name]} for p in plans]}
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


def put(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A TOML file of [plans.NAME] tables, as in venture.toml.")],
) -> None:
    """Put plans on sale beside those of venture.toml, now or from their 'effective' date on."""
    from modelmint.cli.views.holding import versions_view
    from modelmint.commerce.catalog import effective_dates, plans_from
    from modelmint.commerce.offers import API
    from modelmint.operations.plan_hints import plan_hints
    from modelmint.venture.plan_tables import read_plans

    session = session_of(ctx)
    books = session.shop.books
    sections = read_plans(file)
    books.put_plans(plans_from(sections), effective_dates(sections), API)
    found = [version for name in sections for version in books.plan_versions(name)]
    shop = session.shop
    warnings = plan_hints(plans_from(sections), shop.venture, shop.shelf, books.deployments())

    def show(out: Output) -> None:
        out.table(versions_view(found))
        for warning in warnings:
            out.say(warning, style="yellow")

    session.out.answer({"versions": as_json(found), "warnings": warnings}, show)


def withdraw(ctx: typer.Context, plan: Annotated[str, typer.Argument(help="Name of the plan.")]) -> None:
    """Take a plan off sale that was put there by 'plans put' or the API; who holds it keeps it."""
    session = session_of(ctx)
    session.shop.books.withdraw_plan(plan)
    session.out.answer(
        {"withdrawn": plan}, lambda out: out.say(f"{plan} is not on sale any more; who holds it keeps it.")
    )


VERBS: dict[str, Callable[..., None]] = {"list": list_, "put": put, "withdraw": withdraw, "subscribe": subscribe}
