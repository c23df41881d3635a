"""The plots of a dossier, drawn from its facts in the reader's language."""

from __future__ import annotations

from modelmint.evaluation.plots import (
    Dot,
    Point,
    confusion_svg,
    dots_svg,
    grid_svg,
    reliability_svg,
    roc_svg,
    scatter_svg,
)
from modelmint.evaluation.types import Scorecard
from modelmint.kit.estimate import Estimate
from modelmint.releases.dossier import shapes
from modelmint.releases.dossier.order import ordered
from modelmint.releases.dossier.types import CandidateRow, Candidates, Explained
from modelmint.releases.dossier.words import Say

#: Metrics of which 1 is best and 0 is worst; the others do not fit their axis.
_UPWARD = {"auroc", "accuracy", "balanced_accuracy", "f1_macro", "sensitivity", "specificity", "answered_accuracy"}


def metrics_plot(card: Scorecard, say: Say) -> str | None:
    """Metrics as dots within their intervals; None where there is none to draw."""
    dots = [
        Dot(say.either(f"metric.{name}", name), found.value, found.low, found.high, _written(found))
        for name, found in ordered(card.metrics)
        if name in _UPWARD
    ]
    if not dots:
        return None
    under = f"{say.either(f'split.{card.split}', card.split)}, n = {sum(map(sum, card.confusion)):,}"
    return dots_svg(dots, say("metrics.chart"), under, say("metrics.chart_desc"), say.language, bounds=(0.0, 1.0))


def of_card(card: Scorecard, say: Say) -> list[str]:
    """Metrics, ROC, reliability and confusion."""
    curves = [draw(card, say.language) for draw in (roc_svg, reliability_svg, confusion_svg)]
    metrics = metrics_plot(card, say)
    return curves if metrics is None else [metrics, *curves]


def of_candidates(found: Candidates, say: Say) -> list[str]:
    """Accuracy against CPU time, and value, as far as they are known."""
    return [drawn for drawn in (candidates_plot(found, say), value_plot(found, say)) if drawn is not None]


def candidates_plot(found: Candidates, say: Say) -> str | None:
    """Accuracy against CPU time; None where fewer than two candidates have both."""
    points = [
        Point(
            mark=str(row.number),
            label=row.key,
            x=row.cpu_ms,
            y=row.accuracy,
            chosen=row.chosen,
            front=row.front,
            hollow=row.rejected is not None,
        )
        for row in found.rows
        if row.cpu_ms is not None and row.accuracy is not None and row.cpu_ms.low > 0
    ]
    if len(points) < 2:
        return None
    key = {name: say(f"candidates.key_{name}") for name in ("sold", "rejected", "front")}
    axes = (say("candidates.x"), say("candidates.y"))
    under = f"{say('split.val')}, n = {points[0].y.n:,}"
    return scatter_svg(points, say("candidates.plot"), under, say("candidates.plot_desc"), axes, key, say.language)


def value_plot(found: Candidates, say: Say) -> str | None:
    """Monthly value by candidate; None where it is known of none."""
    dots = [_valued(row) for row in found.rows if row.monthly_value is not None]
    if not dots:
        return None
    title = say("candidates.value_plot", currency=found.currency)
    return dots_svg(dots, title, say("candidates.value_under"), say("candidates.value_desc"), say.language)


def _valued(row: CandidateRow) -> Dot:
    value = row.monthly_value
    if value is None:
        raise ValueError(f"{row.key} has no value")
    text = f"{shapes.money(value.value)} [{shapes.money(value.low)}, {shapes.money(value.high)}]"
    ends = (float(value.value), float(value.low), float(value.high))
    return Dot(f"{row.number} {row.key}", *ends, text, chosen=row.chosen, hollow=row.rejected is not None)


def heat_maps(found: Explained, say: Say) -> list[str]:
    """The mean map of all pictures, then of each label."""
    named = {say("explained.mean_all"): found.mean_map, **found.by_label}
    return [grid_svg(values, title, say("explained.mean_desc"), say.language) for title, values in named.items()]


def _written(found: Estimate) -> str:
    return f"{shapes.score(found.value)} {shapes.interval(found)}"
