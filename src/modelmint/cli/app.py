"""The verbs as one typer application. Importing this stays cheap: verbs import what they need when they run."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import typer

import modelmint
from modelmint.cli.verbs import (
    bench,
    bills,
    build,
    customers,
    data,
    data_card,
    data_suspects,
    demo,
    deploy,
    doctor,
    events,
    feedback,
    invoice_papers,
    invoices,
    keys,
    leads,
    ledger,
    new,
    partners,
    payments,
    people,
    plan_changes,
    plans,
    predict,
    prepaid,
    release_files,
    releases,
    report,
    serve,
    store,
    usage,
    webhooks,
)

_ANYWHERE = (
    "Before or after any verb: -C DIR (the venture's folder), --json (one JSON object on stdout), --quiet, "
    "--plain (no colour, no boxes), --debug."
)
_EXITS = (
    "Exit codes: 0 well, 1 unexpected, 2 bad input, 3 not found, 4 conflict, 5 a gate or precondition failed, 6 not "
    "allowed, 7 limit reached, 8 unavailable, 9 corrupted, 130 stopped by Ctrl-C."
)
_CUSTOMERS = customers.VERBS | feedback.CUSTOMERS | people.CUSTOMERS
_DATA = data.VERBS | data_suspects.VERBS | data_card.VERBS
_INVOICES = invoices.VERBS | bills.VERBS | invoice_papers.VERBS
BUILD, SERVE, SELL, LOOK = "Make a model", "Serve it", "Sell it", "Look around"


def _root(
    ctx: typer.Context,
    directory: Annotated[str, typer.Option("-C", "--directory", help="Folder that holds venture.toml.")] = ".",
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no notes.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Aligned text: no colour, no boxes.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.")] = False,
) -> None:
    """From labelled data to an API that people pay for: one venture.toml, build, serve, sell."""
    # The options are declared for the help page only; ``main`` takes them from anywhere on the line.
    del directory, json, quiet, plain, debug
    if version:
        typer.echo(f"modelmint {modelmint.__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@lru_cache(maxsize=1)
def command() -> Any:
    """The root command, ready for ``.main(args=..., obj=session)``."""
    app = typer.Typer(add_completion=True, rich_markup_mode="rich", pretty_exceptions_enable=False, epilog=_EXITS)
    app.callback(invoke_without_command=True)(_root)

    def add(name: str, function: Any, panel: str) -> None:
        app.command(name, rich_help_panel=panel, epilog=_ANYWHERE)(function)

    add("new", new.new, BUILD)
    add("doctor", doctor.doctor, BUILD)
    add("build", build.build, BUILD)
    add("demo", demo.demo, BUILD)
    add("deploy", deploy.deploy, SERVE)
    add("serve", serve.serve, SERVE)
    add("predict", predict.predict, SERVE)
    add("usage", usage.usage, SELL)
    for name, about, panel, verbs in (
        ("events", "Usage events of batch jobs and devices: import, list, export.", SELL, events.VERBS),
        ("customers", "Who pays: add, list, show, set, consent, erase.", SELL, _CUSTOMERS),
        ("keys", "API keys, shown once and stored hashed: add, list, rotate, revoke.", SELL, keys.VERBS),
        ("plans", "What is on sale, who holds what, changes of it.", SELL, {**plans.VERBS, **plan_changes.VERBS}),
        ("invoices", "Close a period, list, show, pay, void, correct, replay, export.", SELL, _INVOICES),
        ("credits", "Prepaid credit: grant, list.", SELL, prepaid.VERBS),
        ("store", "The books as a file: backup, restore, info.", SELL, store.VERBS),
        ("ledger", "Every movement of money, double entry: list, verify, head, export.", SELL, ledger.VERBS),
        ("payments", "Asking for what is owed: collect, list.", SELL, payments.VERBS),
        ("webhooks", "Who is told when something happens: add, test, deliveries, replay.", SELL, webhooks.VERBS),
        ("partners", "Who sells for you: add, list, customers, statement.", SELL, partners.PARTNERS),
        ("referrals", "Codes that attribute sign-ups to channels: add, list, withdraw.", SELL, partners.REFERRALS),
        ("channels", "What each channel earned and cost: report.", SELL, partners.CHANNELS),
        ("feedback", "What customers say of predictions: list, summary, export, inputs.", SELL, feedback.VERBS),
        ("leads", "What visitors of the trial page left: list, export, erase.", SELL, leads.VERBS),
        ("audit", "Who did what: list.", SELL, people.AUDIT),
        ("alarms", "Keys that behave unlike themselves: list.", SELL, people.ALARMS),
        ("data", "The dataset as it is trained and judged on: show, findings, suspects, card, export.", LOOK, _DATA),
        ("releases", "What was built: list, show, verify, export, import.", LOOK, releases.VERBS | release_files.VERBS),
    ):
        group = typer.Typer(help=about, add_completion=False)
        for verb, function in verbs.items():
            group.command(verb, epilog=_ANYWHERE)(function)
        app.add_typer(group, name=name, rich_help_panel=panel)
    add("report", report.report, LOOK)
    add("bench", bench.bench, LOOK)
    return typer.main.get_command(app)
