"""A small SVG writer: a titled canvas and a unit-square chart on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

INK, SOFT, GRID, BLUE, ORANGE = "#1b1f24", "#59636e", "#d9dee3", "#1f5fa8", "#c2571a"
#: Okabe and Ito's colours, told apart by colour-blind readers too.
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#6b6b00", "#444444", "#a6611a")
_FONT = "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
#: What XML 1.0 does not allow at all, not even escaped.
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Canvas:
    """Elements in drawing order; ``finish`` gives the whole document.

    No style attribute: a page under a strict Content-Security-Policy may hold it, and says itself how wide it gets.
    """

    def __init__(self, width: float, height: float, title: str, desc: str, lang: str) -> None:
        self.width, self.height = width, height
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" role="img" '
            f'width="100%" aria-label={attribute(title)} lang="{lang}" font-family="{_FONT}">',
            f"<title>{clean(title)}</title><desc>{clean(desc)}</desc>",
            f'<rect width="{number(width)}" height="{number(height)}" fill="#ffffff"/>',
        ]

    def text(
        self, x: float, y: float, words: str, *, size: float = 12, anchor: str = "start", fill: str = INK,
        bold: bool = False, turn: float = 0,
    ) -> None:  # fmt: skip
        """One line of text; ``turn`` in degrees around its own point."""
        extra = ' font-weight="600"' if bold else ""
        if turn:
            extra += f' transform="rotate({number(turn)} {number(x)} {number(y)})"'
        self._parts.append(
            f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" text-anchor="{anchor}" '
            f'fill="{fill}"{extra}>{clean(words)}</text>'
        )

    def line(self, points: Sequence[tuple[float, float]], *, stroke: str, width: float = 1, dash: str = "") -> None:
        """A line through ``points``."""
        path = " ".join(f"{number(x)},{number(y)}" for x, y in points)
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<polyline points="{path}" fill="none" stroke="{stroke}" stroke-width="{number(width)}" '
            f'stroke-linejoin="round"{dashed}/>'
        )

    def box(
        self, x: float, y: float, width: float, height: float, *, fill: str, opacity: float = 1, note: str = ""
    ) -> None:
        """A filled rectangle; ``note`` shows when the pointer rests on it."""
        inner = f"<title>{clean(note)}</title>" if note else ""
        faint = f' fill-opacity="{number(opacity)}"' if opacity < 1 else ""
        self._parts.append(
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}" '
            f'fill="{fill}"{faint}>{inner}</rect>'
        )

    def dot(self, x: float, y: float, radius: float, *, fill: str, note: str = "") -> None:
        """A filled circle."""
        inner = f"<title>{clean(note)}</title>" if note else ""
        self._parts.append(
            f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="{fill}" stroke="#ffffff" '
            f'stroke-width="1.5">{inner}</circle>'
        )

    def ring(self, x: float, y: float, radius: float, *, stroke: str, note: str = "") -> None:
        """A hollow circle."""
        inner = f"<title>{clean(note)}</title>" if note else ""
        self._parts.append(
            f'<circle cx="{number(x)}" cy="{number(y)}" r="{number(radius)}" fill="#ffffff" stroke="{stroke}" '
            f'stroke-width="1.5">{inner}</circle>'
        )

    def finish(self) -> str:
        """The document, ready for a file or to stand in a page."""
        return "\n".join([*self._parts, "</svg>"]) + "\n"


class UnitChart:
    """Axes from 0 to 1 on a canvas, square, y upwards."""

    left, top, side = 58.0, 58.0, 300.0

    def __init__(self, canvas: Canvas, x_words: str, y_words: str) -> None:
        self.canvas = canvas
        for step in range(6):
            share = step / 5
            x, y = self.at(share, share)
            canvas.line([(x, self.top), (x, self.top + self.side)], stroke=GRID)
            canvas.line([(self.left, y), (self.left + self.side, y)], stroke=GRID)
            canvas.text(x, self.top + self.side + 16, f"{share:.1f}", size=11, anchor="middle", fill=SOFT)
            canvas.text(self.left - 7, y + 4, f"{share:.1f}", size=11, anchor="end", fill=SOFT)
        canvas.text(self.left + self.side / 2, self.top + self.side + 36, x_words, anchor="middle")
        canvas.text(18, self.top + self.side / 2, y_words, anchor="middle", turn=-90)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Canvas coordinates of a point of the unit square."""
        return self.left + x * self.side, self.top + (1 - y) * self.side


def clean(words: str) -> str:
    """``words`` as XML text: escaped, without characters XML cannot hold."""
    return escape(_UNSPEAKABLE.sub("\ufffd", words))


def attribute(words: str) -> str:
    """``words`` as a quoted XML attribute. Names by attribute need no ids, which would clash on a page of plots."""
    return quoteattr(_UNSPEAKABLE.sub("\ufffd", words))


def number(value: float) -> str:
    """At most two decimals, no trailing zeros."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def shorten(words: str, room: float, size: float) -> str:
    """``words`` cut to about ``room`` px at a font ``size``, with an ellipsis; East Asian characters are wide."""
    wide = [size if ord(c) > 0x2E7F else size * 0.56 for c in words]
    if sum(wide) <= room:
        return words
    total, kept = size * 0.6, 0
    for width in wide:
        total += width
        if total > room:
            break
        kept += 1
    return words[:kept] + "…"
