"""The confusion matrix."""

from __future__ import annotations

from modelmint.evaluation.plots.svg import BLUE, INK, SOFT, Canvas, shorten
from modelmint.evaluation.types import Scorecard
from modelmint.evaluation.words import words

_LEFT, _TOP, _SIDE = 92.0, 84.0, 280.0
#: Beyond so many labels a cell has no room for its number, and beyond twice as many not every name is written.
_NUMBERS = 16
_NAMES = 32


def confusion_svg(scorecard: Scorecard, lang: str = "en") -> str:
    """Counts by true label (rows) and answer (columns), shaded by their share of the row."""
    say = words(lang)
    labels, table = scorecard.labels, scorecard.confusion
    k = len(labels)
    cell = _SIDE / k
    rows = sum(map(sum, table))
    canvas = Canvas(384, 384, say["confusion"], f"{say['confusion_desc']} n = {rows}", lang)
    canvas.text(14, 24, f"{say['confusion']} · {say.get(scorecard.split, scorecard.split)}", size=15, bold=True)
    canvas.text(14, 43, f"{say['rows']} {rows}", fill=SOFT)
    canvas.text(_LEFT + _SIDE / 2, 62, say["answer"], anchor="middle")
    canvas.text(16, _TOP + _SIDE / 2, say["truth"], anchor="middle", turn=-90)
    every = -(-k // _NAMES)
    size = max(7.0, min(12.0, cell * 0.8))
    for index, label in enumerate(labels):
        if index % every == 0:
            middle = (index + 0.5) * cell
            canvas.text(_LEFT - 6, _TOP + middle + size / 3, shorten(label, 62, size), size=size, anchor="end")
            _column_name(canvas, _LEFT + middle, label, cell, size)
    for i, counts in enumerate(table):
        total = sum(counts)
        for j, count in enumerate(counts):
            share = count / total if total else 0.0
            x, y = _LEFT + j * cell, _TOP + i * cell
            note = f"{labels[i]} → {labels[j]}: {count} ({share:.1%})"
            canvas.box(x + 0.5, y + 0.5, max(cell - 1, 0.5), max(cell - 1, 0.5), fill="#eef2f6")
            if count:
                canvas.box(
                    x + 0.5, y + 0.5, max(cell - 1, 0.5), max(cell - 1, 0.5), fill=BLUE, opacity=0.08 + 0.92 * share,
                    note=note,
                )  # fmt: skip
            if k <= _NUMBERS:
                _count(canvas, x + cell / 2, y + cell / 2, count, share, cell)
    return canvas.finish()


def _column_name(canvas: Canvas, x: float, label: str, cell: float, size: float) -> None:
    short = shorten(label, cell - 2, size)
    if short == label or cell > 60:
        canvas.text(x, _TOP - 6, short, size=size, anchor="middle")
    else:
        canvas.text(x + size / 3, _TOP - 4, shorten(label, 40, min(size, 9)), size=min(size, 9), turn=-60)


def _count(canvas: Canvas, x: float, y: float, count: int, share: float, cell: float) -> None:
    size = max(7.0, min(16.0, cell * 0.8 / max(len(str(count)) * 0.6, 1)))
    canvas.text(x, y + size / 3, str(count), size=size, anchor="middle", fill="#ffffff" if share > 0.5 else INK)
