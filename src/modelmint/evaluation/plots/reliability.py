"""The reliability diagram."""

from __future__ import annotations

from modelmint.evaluation.plots.svg import BLUE, SOFT, Canvas, UnitChart
from modelmint.evaluation.types import Scorecard
from modelmint.evaluation.words import words


def reliability_svg(scorecard: Scorecard, lang: str = "en") -> str:
    """Accuracy against confidence in bins (dots), with the share of rows in each bin (pale bars)."""
    say = words(lang)
    rows = scorecard.curves.get("reliability", [])
    total = sum(row[4] for row in rows) or 1
    found = scorecard.metrics.get("ece")
    figures = f"ECE {found.value:.4f} [{found.low:.4f}, {found.high:.4f}], n = {found.n}" if found else ""
    canvas = Canvas(380, 410, say["reliability"], f"{say['reliability_desc']} {figures}".strip(), lang)
    canvas.text(14, 24, f"{say['reliability']} · {say.get(scorecard.split, scorecard.split)}", size=15, bold=True)
    canvas.text(14, 43, figures, fill=SOFT)
    chart = UnitChart(canvas, say["confidence"], say["accuracy"])
    for low, high, _, _, count in rows:
        left, top = chart.at(low, count / total)
        width = (high - low) * chart.side
        note = f"{say['share']} {count / total:.1%} ({count:.0f})"
        canvas.box(left + 1, top, max(width - 2, 1), count / total * chart.side, fill=BLUE, opacity=0.16, note=note)
    canvas.line([chart.at(0, 0), chart.at(1, 1)], stroke=SOFT, dash="4 4")
    points = [chart.at(confidence, accuracy) for _, _, confidence, accuracy, _ in rows]
    if len(points) > 1:
        canvas.line(points, stroke=BLUE, width=1.4)
    for (x, y), row in zip(points, rows, strict=True):
        note = f"{say['confidence']} {row[2]:.3f} · {say['accuracy']} {row[3]:.3f} · n = {row[4]:.0f}"
        canvas.dot(x, y, 3.5 + 3 * (row[4] / total) ** 0.5, fill=BLUE, note=note)
    _key(canvas, chart, say["ideal"], say["share"])
    return canvas.finish()


def _key(canvas: Canvas, chart: UnitChart, ideal: str, share: str) -> None:
    x, y = chart.at(0.03, 0.95)
    canvas.line([(x, y - 4), (x + 18, y - 4)], stroke=SOFT, dash="4 4")
    canvas.text(x + 23, y, ideal, size=11)
    canvas.box(x, y + 8, 18, 9, fill=BLUE, opacity=0.16)
    canvas.text(x + 23, y + 17, share, size=11)
