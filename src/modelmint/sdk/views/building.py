"""A build report (the ``build --json`` object) as tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmint.sdk.types import Column, TableView
from modelmint.sdk.views.figures import DASH, amount, bare, count, interval, number, seconds, short, size

_MEASURED = "Accuracy and AUROC on validation; CPU, p50 and p99 of one picture in the engine here, interleaved."
#: Metrics that are shares, shown in the order people ask for them.
_ORDER = ("auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "f1_macro", "ece", "brier")


def candidates_view(candidates: Sequence[Mapping[str, Any]], currency: str | None) -> TableView:
    """Every candidate with its figures; the chosen one is marked, why others were rejected stands below."""
    rows, marks, notes = [], {}, [_MEASURED]
    for index, one in enumerate(candidates):
        marks[index] = "good" if one.get("chosen") else "bad" if one.get("rejected") else ""
        rows.append(
            (
                str(one["name"]),
                str(one.get("engine") or DASH),
                number(one.get("accuracy"), 4),
                number(one.get("auroc"), 4),
                number(one.get("cpu_ms"), 3),
                number(one.get("p50_ms"), 3),
                number(one.get("p99_ms"), 3),
                size(one.get("size_bytes")),
                short(one.get("calls_per_second")),
                short(one.get("cost_per_1k"), 2),
                amount(one.get("monthly_value"), None, 2),
                "chosen" if one.get("chosen") else "rejected" if one.get("rejected") else "",
            )
        )
        if told := one.get("rejected") or one.get("note"):
            notes.append(f"{one['name']} on {one['engine']}: {told}")
    if disturbed := [float(one["foreign_load"]) for one in candidates if one.get("disturbed")]:
        notes.append(f"Other programs kept {max(disturbed):.1f} cores busy meanwhile: build again on a quiet machine.")
    money = currency or "cost"
    columns = (
        Column("candidate"), Column("engine"), Column("accuracy", True), Column("AUROC", True), Column("CPU ms", True),
        Column("p50 ms", True), Column("p99 ms", True), Column("size", True), Column("calls/s", True),
        Column(f"{money}/1,000", True), Column(f"{currency or 'value'}/month", True), Column(""),
    )  # fmt: skip
    return TableView("Candidates", columns, tuple(rows), marks, "\n".join(notes))


def gates_view(gates: Sequence[Mapping[str, Any]]) -> TableView:
    """Wanted and found; a gate that was not measured fails. A waived one says why."""
    rows, marks, notes = [], {}, []
    for index, gate in enumerate(gates):
        word = "waived" if gate.get("waived") else "passed" if gate.get("passed") else "FAILED"
        marks[index] = "good" if gate.get("passed") else "bad"
        found = "not measured" if gate.get("found") is None else short(gate["found"], 4)
        rows.append((str(gate["name"]), str(gate["wanted"]), found, word))
        if gate.get("waived"):
            notes.append(f"{gate['name']} was waived: {gate['waived']}")
    columns = (Column("gate"), Column("wanted", True), Column("found", True), Column("result"))
    return TableView("Gates", columns, tuple(rows), marks, "\n".join(notes))


def metrics_view(metrics: Mapping[str, Any], title: str) -> TableView:
    """Every metric with its 95 % bootstrap interval and n."""
    names = [name for name in _ORDER if name in metrics] + [name for name in metrics if name not in _ORDER]
    rows = tuple((name, interval(metrics[name], 4), _count(metrics[name])) for name in names)
    return TableView(title, (Column("metric"), Column("value [95 % interval]", True), Column("n", True)), rows, {})


def judged_title(name: str, reads: int | None) -> str:
    """Heads the metrics of the test split: how often the judge has read it by now."""
    told = "" if reads is None else f", read {count(reads, 'time')} by the judge so far"
    return f"{name} on the test split{told}"


def seconds_line(spent: Mapping[str, Any]) -> str:
    """Seconds per step: ``train 12.1 s, compress 4.0 s``."""
    return ", ".join(f"{step} {seconds(value)}" for step, value in spent.items() if bare(value) is not None)


def dataset_line(dataset: Mapping[str, Any]) -> str:
    """Rows per split and how many findings."""
    rows = dataset.get("rows", {})
    counts = ", ".join(f"{count:,} {split}" for split, count in rows.items())
    problems = dataset.get("problems")
    found = sum(problems.values()) if isinstance(problems, dict) else problems
    found = len(found) if isinstance(found, list) else found
    return f"{counts}; {found or 0} findings"


def _count(value: Any) -> str:
    return f"{value['n']:,}" if isinstance(value, dict) and value.get("n") is not None else DASH
