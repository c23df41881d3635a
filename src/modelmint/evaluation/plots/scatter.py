"""Two measured values of several things against each other, the first on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modelmint.evaluation.plots.axis import Axis, axis_around
from modelmint.evaluation.plots.svg import BLUE, GRID, INK, ORANGE, SOFT, Canvas, shorten
from modelmint.kit.estimate import Estimate

_WIDTH, _HEIGHT = 380.0, 400.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 364.0, 60.0, 316.0


@dataclass(frozen=True, slots=True)
class Point:
    """``x`` (above 0) and ``y`` with their intervals; ``mark`` is the short name that stands beside the dot."""

    mark: str
    label: str
    x: Estimate
    y: Estimate
    chosen: bool = False
    front: bool = False
    hollow: bool = False


def scatter_svg(
    points: Sequence[Point], title: str, under: str, desc: str, axes: tuple[str, str], key: Mapping[str, str], lang: str
) -> str:
    """At least one point. ``key`` says what ``sold``, ``rejected`` and ``front`` look like; the chosen one is named."""
    told = "; ".join(f"{point.label}: {point.x.value:.4g}, {point.y.value:.4g}" for point in points)
    canvas = Canvas(_WIDTH, _HEIGHT, title, f"{desc} {told}", lang)
    canvas.text(14, 24, title, size=15, bold=True)
    canvas.text(14, 43, shorten(under, _WIDTH - 24, 12), fill=SOFT)
    x = axis_around([v for p in points for v in (p.x.low, p.x.value, p.x.high) if v > 0], _LEFT, _RIGHT, log=True)
    y = axis_around([v for p in points for v in (p.y.low, p.y.value, p.y.high)], _BOTTOM, _TOP + 16, least=0.01)
    _frame(canvas, x, y, axes)
    front = sorted((p for p in points if p.front), key=lambda point: point.x.value)
    canvas.line(_steps([(x.at(p.x.value), y.at(p.y.value)) for p in front]), stroke=BLUE, width=1.3, dash="5 4")
    for point in sorted(points, key=lambda point: (point.chosen, not point.hollow)):
        _draw(canvas, x, y, point)
    _key(canvas, key)
    return canvas.finish()


def _frame(canvas: Canvas, x: Axis, y: Axis, axes: tuple[str, str]) -> None:
    for value, text in x.ticks(7):
        canvas.line([(x.at(value), _TOP), (x.at(value), _BOTTOM)], stroke=GRID)
        canvas.text(x.at(value), _BOTTOM + 16, text, size=11, anchor="middle", fill=SOFT)
    for value, text in y.ticks(6):
        canvas.line([(_LEFT, y.at(value)), (_RIGHT, y.at(value))], stroke=GRID)
        canvas.text(_LEFT - 7, y.at(value) + 4, text, size=11, anchor="end", fill=SOFT)
    canvas.text((_LEFT + _RIGHT) / 2, _BOTTOM + 36, axes[0], anchor="middle")
    canvas.text(16, (_TOP + _BOTTOM) / 2, axes[1], anchor="middle", turn=-90)


def _steps(places: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What the front commands: flat to the next better one, then up."""
    found: list[tuple[float, float]] = []
    for place in places:
        if found:
            found.append((place[0], found[-1][1]))
        found.append(place)
    return found if len(found) > 1 else found * 2


def _draw(canvas: Canvas, x: Axis, y: Axis, point: Point) -> None:
    colour = SOFT if point.hollow else ORANGE if point.chosen else BLUE
    across, up = x.at(point.x.value), y.at(point.y.value)
    canvas.line([(x.at(point.x.low), up), (x.at(point.x.high), up)], stroke=colour)
    canvas.line([(across, y.at(point.y.low)), (across, y.at(point.y.high))], stroke=colour)
    note = f"{point.label}: {point.x}; {point.y}"
    if point.hollow:
        canvas.ring(across, up, 5, stroke=colour, note=note)
    else:
        canvas.dot(across, up, 6 if point.chosen else 5, fill=colour, note=note)
    if point.chosen:
        # Above its interval, where no other point's number stands.
        right = across < (_LEFT + _RIGHT) / 2
        label = shorten(f"{point.mark} {point.label}", 170, 11.5)
        top = max(y.at(point.y.high) - 6, _TOP + 10)
        canvas.text(across + (-4 if right else 4), top, label, size=11.5, anchor="start" if right else "end", bold=True)
    else:
        canvas.text(across + 8, up - 7, point.mark, size=11, fill=colour)


def _key(canvas: Canvas, key: Mapping[str, str]) -> None:
    y, x = _HEIGHT - 18, 20.0
    for name, words in key.items():
        if name == "front":
            canvas.line([(x - 6, y), (x + 10, y)], stroke=BLUE, width=1.3, dash="5 4")
        elif name == "rejected":
            canvas.ring(x, y, 4.5, stroke=SOFT)
        else:
            canvas.dot(x, y, 5, fill=BLUE)
        canvas.text(x + 14, y + 4, words, size=11, fill=INK)
        x += 32 + sum(11 if ord(sign) > 0x2E7F else 6 for sign in words)
