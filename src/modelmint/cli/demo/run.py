"""The demo's story, phase by phase, each timed: new, build, serve, sell, bill."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain, count, cycle, islice
from pathlib import Path
from typing import Any

from modelmint.api.candidate import server_process
from modelmint.bootstrap import open_shop
from modelmint.cli.datasets import frozen
from modelmint.cli.demo.calls import Caller, try_refusals
from modelmint.cli.demo.report import DemoRun
from modelmint.cli.demo.start import Start
from modelmint.cli.errors import DemoWentWrong, FileInTheWay
from modelmint.commerce.documents.invoice_text import render
from modelmint.commerce.repository import Books
from modelmint.kit.canonical import pretty_json
from modelmint.kit.files import write_atomic
from modelmint.kit.period import month_of
from modelmint.kit.progress import Progress
from modelmint.operations.deploy import deploy
from modelmint.venture.load import LoadedVenture, load_venture

#: The plan that the demo's customer holds; the templates have it.
PLAN = "payg"
CUSTOMER = "Northside Clinic"
#: Builds the venture in a folder; the verb hands it in, since it knows the workshop.
Build = Callable[[LoadedVenture, Path], dict[str, Any]]


def run_demo(folder: Path, start: Start, calls: int, build: Build, progress: Progress) -> DemoRun:
    """The whole story in ``folder``; raises ``DemoWentWrong`` where any figure does not agree with another."""
    run = DemoRun(folder=str(folder), solution=start.solution)
    with _timed(run, "data", progress):
        answers = start.answers(folder, progress)
    with _timed(run, "new", progress):
        venture = _new(folder, start.files(answers))
    with _timed(run, "build", progress):
        run.build = build(venture, folder)
    with _timed(run, "deploy", progress), open_shop(folder) as shop:
        name = deploy(shop.books, shop.shelf, run.build["release"]["id"])[0].name
        run.plan = shop.books.plan(PLAN)
        customer = shop.books.add_customer(_new_name(shop.books), "billing@northside.example")
        shop.books.subscribe(customer.id, PLAN)
        _, secret = shop.books.add_key(customer.id, "demo")
        run.customer = customer.name
    payloads, truths = _held_out(folder, run.build["dataset"]["digest"], calls)
    log = folder / ".modelmint" / "logs" / "serve.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    server = server_process(folder, log=log)
    with ExitStack() as running:
        with _timed(run, "start server", progress):
            state = running.enter_context(server)
        run.url = f"{state['url']}/v1/models/{name}/predict"
        with _timed(run, "calls", progress):
            _call(run, Caller(state["url"], name, secret), payloads, truths, progress)
        with _timed(run, "stop server", progress):
            running.close()
    with _timed(run, "bill", progress), open_shop(folder) as shop:
        period = month_of(shop.books.now())
        run.usage = shop.books.usage(customer.id, period)
        invoices = shop.books.close_period(customer.id, period, shop.notice, until_now=True)
        _agree(run, [invoice.total.minor for invoice in invoices])
        run.invoice = invoices[0]
        run.invoice_text = render(run.invoice)
    _leave(run, folder, log)
    return run


@contextmanager
def _timed(run: DemoRun, phase: str, progress: Progress) -> Iterator[None]:
    progress.step(phase)
    began = time.perf_counter()
    try:
        yield
    finally:
        run.seconds[phase] = time.perf_counter() - began


def _new(folder: Path, files: Mapping[str, str]) -> LoadedVenture:
    """The template as it is; a folder of an earlier demo is used again, anything else is left alone."""
    for path, text in files.items():
        target = folder / path
        if target.exists() and target.read_text(encoding="utf-8") != text:
            raise FileInTheWay(
                f"{target} is there already and is not the demo's; nothing is overwritten. "
                "Give another folder with --out, or remove it."
            )
    for path, text in files.items():
        write_atomic(folder / path, text)
    return load_venture(folder)


def _new_name(books: Books) -> str:
    """A name that no customer of this folder has yet: every demo bills one of its own."""
    taken = {customer.name for customer in books.customers()}
    names = chain([CUSTOMER], (f"{CUSTOMER} {number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _held_out(folder: Path, digest: str, calls: int) -> tuple[list[bytes], list[str]]:
    """``calls`` scans that the model was not trained on (validation split, from the start again if it is short)."""
    dataset = frozen(folder / ".modelmint", digest)
    payloads = dataset.payloads("val")
    truths = [dataset.labels[index] for index in dataset.targets("val").tolist()]
    rows = list(islice(cycle(range(len(payloads))), calls))
    return [payloads[row] for row in rows], [truths[row] for row in rows]


def _call(run: DemoRun, caller: Caller, payloads: list[bytes], truths: list[str], progress: Progress) -> None:
    run.truths = truths
    with progress.bar("paid calls", len(payloads)) as bar:
        for payload in payloads:
            reply = caller.call(payload)
            run.replies.append(reply)
            bar.advance(1, ms=reply.wall_ms)
    run.refusals = try_refusals(caller, payloads[0])
    caller.close()


def _agree(run: DemoRun, totals: list[int]) -> None:
    """Every answer is billed once and nothing else is; a refusal is the one that was wanted."""
    answered = sum(reply.status == 200 for reply in run.replies)
    billed = run.usage.calls if run.usage else 0
    problems = [f"{r.what}: wanted {r.wanted}, got {r.status}" for r in run.refusals if r.status != r.wanted]
    if answered != len(run.replies):
        bad = next(reply for reply in run.replies if reply.status != 200)
        problems.append(f"{len(run.replies) - answered} calls failed, the first with {bad.status}: {bad.body}")
    if billed != answered:
        problems.append(f"{answered} answers, but {billed} billable calls in the books")
    if len(totals) != 1 or totals[0] <= 0:
        problems.append(f"expected one invoice above zero, found totals {totals}")
    if problems:
        raise DemoWentWrong("the demo's own figures do not agree; please report this", problems=problems)


def _leave(run: DemoRun, folder: Path, log: Path) -> None:
    """Everything to look at, by name; the report itself last."""
    workspace = folder / ".modelmint"
    report, invoice = folder / "demo-report.json", folder / "invoice.txt"
    run.places = {
        "venture file": str(folder / "venture.toml"),
        "release": str(run.build["release"]["path"]),
        "books": str(workspace / "books.sqlite"),
        "server log": str(log),
        "invoice": str(invoice),
        "report": str(report),
    }
    write_atomic(invoice, run.invoice_text + "\n")
    write_atomic(report, pretty_json(run.to_json()))
