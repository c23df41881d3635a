"""A grid of shares as a heat map."""

from __future__ import annotations

from collections.abc import Sequence

from modelmint.evaluation.plots.svg import BLUE, SOFT, Canvas, shorten

_SIDE, _TOP = 168.0, 34.0


def grid_svg(values: Sequence[Sequence[float]], title: str, desc: str, lang: str) -> str:
    """Rows of values from 0 (pale) to 1 (dark), drawn as they lie in the picture."""
    canvas = Canvas(_SIDE + 12, _TOP + _SIDE + 8, title, f"{desc} {hottest(values)}", lang)
    canvas.text(6, 20, shorten(title, _SIDE, 13), size=13, bold=True)
    rows = max(len(values), 1)
    high = _SIDE / rows
    for i, row in enumerate(values):
        wide = _SIDE / len(row)
        for j, value in enumerate(row):
            x, y = 6 + j * wide, _TOP + i * high
            canvas.box(x + 0.5, y + 0.5, wide - 1, high - 1, fill="#eef2f6")
            canvas.box(
                x + 0.5, y + 0.5, wide - 1, high - 1, fill=BLUE, opacity=value, note=f"{i + 1}, {j + 1}: {value:.2f}"
            )
    if not values:
        canvas.text(6, _TOP + 16, "–", fill=SOFT)
    return canvas.finish()


def hottest(values: Sequence[Sequence[float]]) -> str:
    """``row, column: value`` of the three hottest cells, counted from 1 at the top left."""
    cells = sorted(((value, i + 1, j + 1) for i, row in enumerate(values) for j, value in enumerate(row)), reverse=True)
    return "; ".join(f"{i}, {j}: {value:.2f}" for value, i, j in cells[:3])
