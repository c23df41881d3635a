"""Things that show themselves: aligned text at a prompt, tables and pictures in a notebook."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Any

from modelmint.sdk.tables import plain_text, rich_table
from modelmint.sdk.types import TableView

_RIGHT = ' style="text-align:right;font-variant-numeric:tabular-nums"'
_LEFT = ' style="text-align:left"'


class Shown:
    """Shows ``_views()``, and in a notebook the pictures of ``_pictures()`` below them.

    Every word is escaped: a label or a customer's file name never becomes markup.
    """

    def _views(self) -> Sequence[TableView]:
        raise NotImplementedError

    def _pictures(self) -> Sequence[str]:
        """HTML of pictures, made by ``svg_image`` or ``png_image``."""
        return ()

    def __repr__(self) -> str:
        return "\n\n".join(plain_text(view) for view in self._views())

    def _repr_html_(self) -> str:
        return "".join([*(html_table(view) for view in self._views()), *self._pictures()])

    def __rich__(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        parts: list[Any] = []
        for view in self._views():
            parts += [Text(view.title, style="bold"), rich_table(view), Text(view.note, style="dim")]
        return Group(*parts)


class Plot(Shown):
    """A diagram of the evaluation: drawn in a notebook, told by its name elsewhere."""

    def __init__(self, name: str, svg: str) -> None:
        self.name, self.svg = name, svg

    def __repr__(self) -> str:
        return f"<plot {self.name}: {len(self.svg):,} characters of SVG; shown in a notebook, .svg holds the text>"

    def _repr_html_(self) -> str:
        return svg_image(self.svg, self.name)


def html_table(view: TableView) -> str:
    """``view`` as an HTML table, nothing in it trusted."""
    head = "".join(f"<th{_RIGHT if one.figure else _LEFT}>{escape(one.name)}</th>" for one in view.columns)
    body = []
    for index, row in enumerate(view.rows):
        weight = ' style="font-weight:600"' if view.marks.get(index) in ("good", "alarm") else ""
        cells = "".join(
            f"<td{_RIGHT if column.figure else _LEFT}>{escape(cell)}</td>"
            for column, cell in zip(view.columns, row, strict=True)
        )
        body.append(f"<tr{weight}>{cells}</tr>")
    header = f"<thead><tr>{head}</tr></thead>" if any(one.name for one in view.columns) else ""
    title = f"<p><b>{escape(view.title)}</b></p>" if view.title else ""
    note = f"<p><small>{_lines(view.note)}</small></p>" if view.note else ""
    return f"<div>{title}<table>{header}<tbody>{''.join(body)}</tbody></table>{note}</div>"


def svg_image(svg: str, name: str) -> str:
    """An SVG as a picture: a browser runs no script and loads nothing for it, whoever drew it."""
    return _image(svg.encode(), "image/svg+xml", name, 380)


def png_image(png: bytes, name: str, width: int) -> str:
    """A PNG shown ``width`` pixels wide."""
    return _image(png, "image/png", name, width)


def _image(content: bytes, kind: str, name: str, width: int) -> str:
    data = base64.b64encode(content).decode()
    return f'<img alt="{escape(name)}" width="{width}" src="data:{kind};base64,{data}">'


def _lines(text: str) -> str:
    return "<br>".join(escape(line) for line in text.split("\n"))
