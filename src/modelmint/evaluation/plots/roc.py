"""The ROC curve."""

from __future__ import annotations

from modelmint.evaluation.plots.svg import BLUE, INK, ORANGE, SERIES, SOFT, Canvas, UnitChart, shorten
from modelmint.evaluation.types import Scorecard
from modelmint.evaluation.words import words

#: More curves than this get no legend: there is no room for it.
_LEGEND = 10


def roc_svg(scorecard: Scorecard, lang: str = "en") -> str:
    """ROC of the positive label, with the chosen threshold; with more labels one curve each against the rest."""
    say = words(lang)
    curves = {name: points for name, points in scorecard.curves.items() if name.split(":", 1)[0] == "roc" and points}
    found = scorecard.metrics.get("auroc")
    figures = f"AUROC {found.value:.4f} [{found.low:.4f}, {found.high:.4f}], n = {found.n}" if found else ""
    canvas = Canvas(380, 410, say["roc"], f"{say['roc_desc']} {figures}".strip(), lang)
    canvas.text(14, 24, f"{say['roc']} · {say.get(scorecard.split, scorecard.split)}", size=15, bold=True)
    canvas.text(14, 43, figures or say["one_class"], fill=SOFT)
    chart = UnitChart(canvas, say["false_rate"], say["true_rate"])
    canvas.line([chart.at(0, 0), chart.at(1, 1)], stroke=SOFT, dash="4 4")
    for index, points in enumerate(curves.values()):
        colour = BLUE if len(curves) == 1 else SERIES[index % len(SERIES)]
        canvas.line([chart.at(x, y) for x, y in points], stroke=colour, width=2.2 if len(curves) == 1 else 1.4)
    if 1 < len(curves) <= _LEGEND:
        _legend(canvas, chart, [name.split(":", 1)[1] for name in curves])
    _chosen(canvas, chart, scorecard, say["chosen"])
    return canvas.finish()


def _legend(canvas: Canvas, chart: UnitChart, names: list[str]) -> None:
    x, bottom = chart.at(0.56, 0.03)
    for index, name in enumerate(names):
        y = bottom - 15 * (len(names) - 1 - index)
        canvas.line([(x, y - 4), (x + 16, y - 4)], stroke=SERIES[index % len(SERIES)], width=2.2)
        canvas.text(x + 21, y, shorten(name, 105, 11), size=11)


def _chosen(canvas: Canvas, chart: UnitChart, scorecard: Scorecard, caption: str) -> None:
    sensitivity, specificity = scorecard.metrics.get("sensitivity"), scorecard.metrics.get("specificity")
    if sensitivity is None or specificity is None:
        return
    x, y = chart.at(1 - specificity.value, sensitivity.value)
    threshold = scorecard.decision.threshold
    words_ = caption if threshold is None else f"{caption} {threshold:.3f}"
    canvas.dot(x, y, 5, fill=ORANGE, note=words_)
    right = 1 - specificity.value < 0.5
    canvas.text(x + (9 if right else -9), y + 17, words_, size=11, anchor="start" if right else "end", fill=INK)
