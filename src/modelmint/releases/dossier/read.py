"""Statement bodies and scorecards, plain JSON, into typed facts.

A statement may come from another version or another hand. ``stated`` turns a body of an unexpected form into a
``Missing`` that says so; nothing is guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from modelmint.evaluation.types import ClassReport, GateResult, Scorecard
from modelmint.kit.estimate import Estimate
from modelmint.releases.dossier.front import pareto
from modelmint.releases.dossier.types import (
    Amount,
    CandidateRow,
    Candidates,
    Cost,
    Explained,
    Level,
    Missing,
    Rate,
    Source,
    Stated,
)
from modelmint.releases.types import Statement
from modelmint.tasks.types import DecisionRule

T = TypeVar("T")
#: In the order in which they are told; each a key of a cost statement's ``exact``.
FIGURES = (
    "calls_per_second", "peak_calls_per_second", "cost_per_1k", "cost_per_1k_at_demand", "revenue", "machine_cost",
    "payment_fees", "storage_cost", "review_cost", "error_cost", "gross_margin",
)  # fmt: skip
#: What an unexpected form raises while it is read.
UNEXPECTED = (KeyError, TypeError, ValueError, AttributeError, InvalidOperation, IndexError)


def stated(
    found: Sequence[tuple[Statement, Mapping[str, Any]]],
    read: Callable[[Mapping[str, Any]], T],
    own_key: str | None,
    otherwise: Missing,
) -> Stated[T] | Missing:
    """The newest of ``found`` (oldest first) as ``read`` understands it, else ``otherwise``."""
    if not found:
        return otherwise
    statement, body = found[-1]
    try:
        return Stated(read(body), source(statement, own_key))
    except UNEXPECTED:
        return Missing("missing.form", otherwise.command)


def source(statement: Statement, own_key: str | None) -> Source:
    """Where and when a statement was made, and whose key signed it."""
    machine = statement.body.get("measured_on")
    return Source(
        machine=statement.machine,
        hardware=_hardware(machine) if isinstance(machine, Mapping) else "",
        made_at=statement.made_at,
        signed_by="own" if statement.public_key == own_key else "foreign",
    )


def _hardware(machine: Mapping[str, Any]) -> str:
    cores = f"{machine['cores']} × " if machine.get("cores") else ""
    parts = [
        f"{cores}{machine.get('processor', '')}",
        f"{machine['memory_gib']} GiB" if machine.get("memory_gib") else "",
        str(machine.get("system", "")),
    ]
    return ", ".join(part for part in parts if part)


def estimate(raw: Any) -> Estimate | None:
    """An ``Estimate`` from its JSON; None for None."""
    if raw is None:
        return None
    return Estimate(float(raw["value"]), float(raw["low"]), float(raw["high"]), int(raw["n"]), float(raw["level"]))


def estimates(raw: Mapping[str, Any]) -> dict[str, Estimate]:
    """Estimates by name; what is none is left out."""
    return {name: found for name, item in raw.items() if (found := estimate(item)) is not None}


def amount(raw: Any) -> Amount | None:
    """An ``Amount`` from its JSON; None for None."""
    return None if raw is None else Amount(*(Decimal(str(raw[name])) for name in ("value", "low", "high")))


def scorecard(raw: Mapping[str, Any]) -> Scorecard:
    """The judge's scorecard from ``evaluation.json``."""
    return Scorecard(
        split=str(raw["split"]),
        labels=tuple(raw["labels"]),
        decision=DecisionRule(**raw["decision"]),
        metrics=estimates(raw["metrics"]),
        classes=tuple(_class(one) for one in raw["classes"]),
        confusion=tuple(tuple(int(count) for count in row) for row in raw["confusion"]),
        curves={name: [[float(x) for x in point] for point in points] for name, points in raw["curves"].items()},
    )


def _class(raw: Mapping[str, Any]) -> ClassReport:
    precision, recall, f1 = (estimate(raw[name]) for name in ("precision", "recall", "f1"))
    if precision is None or recall is None or f1 is None:
        raise ValueError("a class without precision, recall or F1")
    return ClassReport(str(raw["label"]), precision, recall, f1, int(raw["support"]))


def gates(body: Mapping[str, Any]) -> tuple[GateResult, ...]:
    """The body of a ``gates`` statement."""
    return tuple(
        GateResult(
            str(one["name"]), str(one["wanted"]), _number(one["found"]), bool(one["passed"]), one.get("waived") or None
        )
        for one in body["gates"]
    )


def candidates(currency: str) -> Callable[[Mapping[str, Any]], Candidates]:
    """A reader of ``timings`` bodies, whose amounts are in ``currency``."""

    def read(body: Mapping[str, Any]) -> Candidates:
        return Candidates(pareto(_row(place, one) for place, one in enumerate(body["candidates"], 1)), currency)

    return read


def _row(number: int, raw: Mapping[str, Any]) -> CandidateRow:
    intervals = raw.get("intervals") or {}
    return CandidateRow(
        number=number,
        name=str(raw["name"]),
        engine=str(raw["engine"]),
        precision=str(raw.get("precision", "")),
        threads=raw.get("threads"),
        accuracy=estimate(intervals.get("accuracy")),
        auroc=estimate(intervals.get("auroc")),
        cpu_ms=estimate(intervals.get("cpu_ms")),
        p50_ms=_number(raw.get("p50_ms")),
        p99_ms=_number(raw.get("p99_ms")),
        size_bytes=raw.get("size_bytes"),
        calls_per_second=_number(raw.get("calls_per_second")),
        cost_per_1k=_number(raw.get("cost_per_1k")),
        monthly_value=amount(intervals.get("monthly_value")),
        chosen=bool(raw["chosen"]),
        front=False,
        rejected=raw.get("rejected"),
        note=raw.get("note"),
        disturbed=bool(raw.get("disturbed")),
    )


def cost(body: Mapping[str, Any]) -> Cost:
    """The body of a priced ``cost`` statement."""
    exact, load = body["exact"], body.get("load_test") or {}
    return Cost(
        currency=body.get("currency") or "",
        candidate=str(body["candidate"]),
        engine=str(body["engine"]),
        threads=int(body["threads"]),
        machine=str(body["machine"]),
        machines=body.get("machines"),
        figures={name: Decimal(exact[name]) for name in FIGURES if exact.get(name) is not None},
        monthly_value=amount(exact.get("monthly_value")),
        p50_ms=_number(body.get("p50_ms")),
        p99_ms=_number(body.get("p99_ms")),
        clients=body.get("clients"),
        server_cpu_ms=_number(body.get("server_cpu_ms")),
        levels=tuple(Level(**point) for point in load.get("points", ())),
        p99_limit_ms=_number(load.get("p99_limit_ms")),
        foreign_load=_number(load.get("load")),
        wrong_share=estimate(body.get("wrong_share")),
        assumptions=tuple(map(str, body["assumptions"])),
        missing=tuple(map(str, body["missing"])),
        why=str(body["why"]),
    )


def rate(body: Mapping[str, Any]) -> Rate:
    """The measured part of any ``cost`` statement, a bench's too."""
    return Rate(
        engine=str(body["engine"]),
        threads=int(body["threads"]),
        calls_per_second=_number(body.get("calls_per_second")),
        server_cpu_ms=_number(body.get("server_cpu_ms")),
    )


def explained(body: Mapping[str, Any]) -> Explained:
    """The body of an ``explanations`` statement."""
    masking = body["masking"]
    return Explained(
        kind=str(body["kind"]),
        passes=int(body["passes"]),
        extra_ms=estimate(body.get("extra_ms")),
        score=str(masking.get("score", "")),
        hottest=estimate(masking.get("hottest")),
        random=estimate(masking.get("random")),
        difference=estimate(masking.get("difference")),
        share=_number(masking.get("share")),
        split=str(masking.get("split", "")),
        mean_map=_grid(body["mean_map"]),
        by_label={str(label): _grid(grid) for label, grid in (body.get("mean_map_by_label") or {}).items()},
    )


def _grid(raw: Any) -> tuple[tuple[float, ...], ...]:
    rows = tuple(tuple(float(value) for value in row) for row in raw)
    if len({len(row) for row in rows}) > 1 or not all(0 <= value <= 1 for row in rows for value in row):
        raise ValueError("a grid of values from 0 to 1")
    return rows


def _number(raw: Any) -> float | None:
    return None if raw is None else float(raw)
