"""From measurements to a decision: every candidate valued, one chosen, its gates read. Pure and quick.

Quality gates (auroc, accuracy, ...) are read on the test split for the chosen candidate; for the choice itself the
same bounds are held against validation. ``accuracy_drop`` and ``auroc_drop`` compare candidates with each other,
which is choosing, so they are of validation, against ``onnx-fp32`` (accuracy cross-fitted, see
``compression/crossfit.py``). Times and rates are of the load test, except ``cpu_ms``: the engine's at batch 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from modelmint.data.version import DatasetVersion
from modelmint.evaluation.gates import check
from modelmint.evaluation.intervals import wilson
from modelmint.evaluation.types import GateResult
from modelmint.kit.canonical import plain
from modelmint.market.revenue import monthly_revenue
from modelmint.market.types import CostStatement
from modelmint.market.value import Market, best_level, cost_statement, nearest_level
from modelmint.serving.types import LoadResult
from modelmint.venture.load import LoadedVenture
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.choose import Option, choose
from modelmint.workshop.errors import NothingForSale
from modelmint.workshop.records import read_loads, read_rows, read_verdict
from modelmint.workshop.training.types import TrainedRun
from modelmint.workshop.types import BASELINE, Candidate, Choice

_DROPS = {"accuracy_drop": "accuracy", "auroc_drop": "auroc"}


@dataclass(frozen=True)
class ModelWork:
    """What the steps left for one model; ``judged`` and ``priced`` come last."""

    name: str
    section: ModelSection
    dataset: DatasetVersion
    trained: TrainedRun
    compressed: Path
    candidates: tuple[Candidate, ...]
    judged: Path = Path()
    priced: Path = Path()

    def for_sale(self) -> list[Candidate]:
        """Candidates that passed compression; raises ``NothingForSale`` where there is none."""
        found = [one for one in self.candidates if one.rejected is None and one.graph is not None]
        if not found:
            reasons = [f"{one.key}: {one.rejected}" for one in self.candidates]
            raise NothingForSale(f"every candidate of {self.name} was rejected", problems=reasons)
        return found

    def baselines(self) -> list[Candidate]:
        """The float32 graphs that could be scored, whether for sale or not."""
        return [one for one in self.candidates if one.name == BASELINE and one.scores is not None and one.timing]


@dataclass(frozen=True)
class Appraisal:
    """One model's decision and all that it rests on."""

    chosen: Candidate
    choice: Choice
    gates: tuple[GateResult, ...]
    costs: Mapping[str, CostStatement]
    loads: Mapping[str, LoadResult | str]
    #: Test scorecards by candidate, plain JSON.
    cards: Mapping[str, Any]
    drops: Mapping[str, float | None]
    test_reads: int


def appraise(venture: LoadedVenture, work: ModelWork, models: int) -> Appraisal:
    """Value, choose, and read the gates of one of ``models`` models."""
    market = _market(venture, models)
    loads = read_loads(work.priced)
    rows = read_rows(work.compressed)
    reads, cards = read_verdict(work.judged)
    bounds, waive = venture.file.gates.bounds(), venture.file.gates.waive
    options, costs = [], {}
    for candidate in work.for_sale():
        load = loads[candidate.key]
        if isinstance(load, str):
            continue
        wrong, left_open = rows[f"wrong/{candidate.key}"], float(np.mean(rows[f"open/{candidate.key}"]))
        costs[candidate.key] = cost_statement(market, load, wilson(float(wrong.sum()), len(wrong)), left_open)
        on_validation = {name: score.value for name, score in (candidate.scores or {}).items()}
        found = found_figures(candidate, on_validation, costs[candidate.key], load, _drops(work, candidate))
        gates = check(bounds, found, waive)
        options.append(Option(candidate, costs[candidate.key], gates, wrong, rows[f"missed/{candidate.key}"]))
    if not options:
        reasons = [f"{key}: {load}" for key, load in loads.items()]
        raise NothingForSale(f"no candidate of {work.name} could be load-tested", problems=reasons)
    choice = choose(options, _error_price(market))
    chosen = next(option.candidate for option in options if option.key == choice.key)
    on_test = {name: float(metric["value"]) for name, metric in cards[choice.key]["metrics"].items()}
    drops = _drops(work, chosen)
    figures = found_figures(chosen, on_test, costs[choice.key], loads[choice.key], drops)
    return Appraisal(chosen, choice, check(bounds, figures, waive), costs, loads, cards, drops, reads)


def _market(venture: LoadedVenture, models: int) -> Market:
    file = venture.file
    revenue = None if file.demand is None else monthly_revenue(file.plans, file.demand)
    return Market(file.demand, file.costs, file.machine, revenue, file.currency, Decimal(1) / models)


def _error_price(market: Market) -> Decimal:
    if market.calls is None or market.costs.wrong_answer is None:
        return Decimal(0)
    return market.calls * market.costs.wrong_answer.amount


def _drops(work: ModelWork, candidate: Candidate) -> dict[str, float | None]:
    """Loss of accuracy (cross-fitted) and of AUROC against the float32 graph on validation; None where unknown."""
    baselines = work.baselines()
    before = (baselines[0].scores or {}).get("auroc") if baselines else None
    after = (candidate.scores or {}).get("auroc")
    return {
        "accuracy_drop": candidate.accuracy_drop,
        "auroc_drop": None if before is None or after is None else round(before.value - after.value, 9),
    }


def found_figures(
    candidate: Candidate,
    scores: Mapping[str, float],
    cost: CostStatement,
    load: LoadResult | str,
    drops: Mapping[str, float | None],
) -> dict[str, float | None]:
    """Every figure that a gate may watch; None where it was not measured, which fails the gate."""
    best = None if isinstance(load, str) else best_level(load)
    nearest = None if isinstance(load, str) else nearest_level(load)
    value = cost.monthly_value
    return {
        **scores,
        **drops,
        "p50_ms": nearest.p50_ms if nearest else None,
        "p99_ms": nearest.p99_ms if nearest else None,
        "cpu_ms": candidate.timing.cpu_ms.value if candidate.timing else None,
        "size_bytes": candidate.size_bytes,
        "calls_per_second": best.calls_per_second if best else None,
        "cost_per_1k": None if cost.cost_per_1k is None else float(cost.cost_per_1k),
        "monthly_value": None if value is None else float(value.value),
        "gross_margin": None if cost.gross_margin is None else float(cost.gross_margin),
    }


def test_drops(found: Appraisal, work: ModelWork) -> dict[str, float]:
    """For the card only, never for a choice: how the test scores differ from the float32 graph's."""
    parent = next((one.key for one in work.baselines() if one.key in found.cards), None)
    if parent is None:
        return {}
    before, after = found.cards[parent]["metrics"], found.cards[found.choice.key]["metrics"]
    return {
        name: round(float(before[metric]["value"]) - float(after[metric]["value"]), 12)
        for name, metric in _DROPS.items()
        if metric in before and metric in after
    }


def against_parent(found: Appraisal, work: ModelWork) -> dict[str, Any]:
    """Parity and drops of the chosen candidate, for ``evaluation.json``."""
    return {
        "parity": plain(found.chosen.parity),
        "validation": dict(found.drops),
        "test": test_drops(found, work),
    }
