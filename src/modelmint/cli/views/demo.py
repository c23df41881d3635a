"""What the demo says at its end, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmint.cli.output import Output
from modelmint.cli.types import Column, TableView
from modelmint.cli.views.reports import cost_line, models_of, why_of
from modelmint.sdk.views.building import candidates_view, gates_view, judged_title, metrics_view
from modelmint.sdk.views.figures import DASH, number, seconds, short


def say_demo(out: Output, report: Mapping[str, Any]) -> None:
    """Candidates, what a call costs, usage, the invoice, where everything lies, seconds per phase."""
    for name, model in models_of(report["build"]).items():
        cost = model.get("cost") or {}
        out.table(candidates_view(model["candidates"], cost.get("currency")))
        out.say(f"Why: {why_of(model)}", style="bold")
        out.say()
        out.table(metrics_view(model["metrics"], judged_title(name, model.get("test_reads"))))
        if model["gates"]:
            out.say()
            out.table(gates_view(model["gates"]))
        out.say(cost_line(cost))
    out.say()
    out.table(calls_view(report))
    out.say()
    out.table(refused_view(report))
    out.say()
    out.say(report["invoice_text"])
    out.say()
    out.table(_pairs("Where everything lies", report["places"]))
    out.say()
    spent = {**report["seconds"], "in all": report["total_seconds"]}
    out.table(_pairs("Seconds", {name: seconds(value) for name, value in spent.items()}, figures=True))


def calls_view(report: Mapping[str, Any]) -> TableView:
    """The paid calls: how many, how good, how fast, what one costs and what one is billed."""
    calls, each = report["calls"], report["per_call"]
    currency = each["currency"] or ""
    left = DASH if each["machine_margin"] is None else f"{each['machine_margin']:.4%}"
    machine = DASH if each["machine_cost"] is None else f"{short(each['machine_cost'])} {currency}"
    rows = (
        ("calls sent and answered", f"{calls['sent']} and {calls['answered']}"),
        ("label right", f"{calls['right']} of {calls['answered']} (scans kept from training)"),
        ("wall time seen by the caller", f"p50 {number(calls['p50_ms'], 2)} ms, p99 {number(calls['p99_ms'], 2)} ms"),
        ("compute metered a call", f"{number(calls['compute_ms'], 3)} ms"),
        ("machine cost of one call", machine),
        ("price billed for one call", each["price"] or DASH),
        ("left of the price after the machine", left),
    )
    return TableView("Paid calls", (Column(""), Column("")), rows, {})


def refused_view(report: Mapping[str, Any]) -> TableView:
    """Calls that must be refused and are never billed."""
    rows = tuple((one["what"], str(one["status"]), one["code"], one["message"]) for one in report["refused"])
    columns = (Column("call with"), Column("status", True), Column("code"), Column("what the caller is told"))
    return TableView("Refused, not billed", columns, rows, {})


def _pairs(title: str, content: Mapping[str, str], *, figures: bool = False) -> TableView:
    return TableView(title, (Column(""), Column("", figures)), tuple(content.items()), {})
