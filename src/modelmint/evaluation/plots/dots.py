"""Named values with their intervals, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelmint.evaluation.plots.axis import Axis, axis_around
from modelmint.evaluation.plots.svg import BLUE, GRID, INK, ORANGE, SOFT, Canvas, shorten

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 380.0, 20.0, 360.0, 60.0, 40.0


@dataclass(frozen=True, slots=True)
class Dot:
    """``value`` within ``[low, high]``, written as ``text``. A chosen one stands out, a hollow one stands back."""

    label: str
    value: float
    low: float
    high: float
    text: str
    chosen: bool = False
    hollow: bool = False


def dots_svg(
    dots: Sequence[Dot], title: str, under: str, desc: str, lang: str, *, bounds: tuple[float, float] | None = None
) -> str:
    """At least one dot each on its own line over one axis; ``bounds`` are values that the axis must not leave.

    ``under`` stands below the title, ``desc`` is read out to who cannot see it.
    """
    axis = _axis(dots, bounds)
    foot = _TOP + len(dots) * _ROW
    canvas = Canvas(_WIDTH, foot + 30, title, f"{desc} {'; '.join(f'{dot.label} {dot.text}' for dot in dots)}", lang)
    canvas.text(14, 24, title, size=15, bold=True)
    canvas.text(14, 43, shorten(under, _WIDTH - 24, 12), fill=SOFT)
    for value, text in axis.ticks(5):
        x = axis.at(value)
        canvas.line([(x, _TOP), (x, foot)], stroke=GRID)
        canvas.text(x, foot + 17, text, size=11, anchor="middle", fill=SOFT)
    for place, dot in enumerate(dots):
        _line(canvas, axis, dot, _TOP + place * _ROW)
    return canvas.finish()


def _axis(dots: Sequence[Dot], bounds: tuple[float, float] | None) -> Axis:
    axis = axis_around([end for dot in dots for end in (dot.low, dot.value, dot.high)], _LEFT, _RIGHT)
    if bounds is None:
        return axis
    low, high = max(axis.low, bounds[0]), min(axis.high, bounds[1])
    return Axis(low, high, _LEFT, _RIGHT) if low < high else axis


def _line(canvas: Canvas, axis: Axis, dot: Dot, top: float) -> None:
    colour = SOFT if dot.hollow else ORANGE if dot.chosen else BLUE
    room = _WIDTH - 28 - len(dot.text) * 6.4
    canvas.text(14, top + 14, shorten(dot.label, room, 12), bold=dot.chosen)
    canvas.text(_RIGHT + 6, top + 14, dot.text, size=11.5, anchor="end", fill=INK)
    y = top + 26
    low, high, x = axis.at(dot.low), axis.at(dot.high), axis.at(dot.value)
    canvas.line([(low, y), (high, y)], stroke=colour, width=2)
    for end in (low, high):
        canvas.line([(end, y - 4), (end, y + 4)], stroke=colour, width=1.4)
    note = f"{dot.label}: {dot.text}"
    if dot.hollow:
        canvas.ring(x, y, 5, stroke=colour, note=note)
    else:
        canvas.dot(x, y, 5.5, fill=colour, note=note)
