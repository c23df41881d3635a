"""Setting a few keys of one table in a founder's file, and leaving every other line as it stands."""

from __future__ import annotations

import copy
import json
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from modelmint.venture.errors import VentureNotEdited
from modelmint.venture.lines import key_lines

Value = str | int | list[str]


def with_keys(text: str, table: tuple[str, ...], values: Mapping[str, Value], without: Iterable[str] = ()) -> str:
    """``text`` with ``values`` set in ``table`` and the keys ``without`` made comments.

    ``text`` must be TOML. A key is written on its own line: over the old one, else at the head of its table, else in
    a table of its own at the end. The result is read again: raises ``VentureNotEdited`` where it would say anything
    else than that, as with inline tables and values of several lines.
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    places = key_lines(text)
    for key in without:
        if (place := places.get((*table, key))) is not None:
            lines[place - 1] = f"# {lines[place - 1]}"
    fresh = [f"{key} = {_written(value)}\n" for key, value in values.items() if (*table, key) not in places]
    for key, value in values.items():
        if (place := places.get((*table, key))) is not None:
            lines[place - 1] = f"{key} = {_written(value)}\n"
    if fresh and table in places:
        lines[places[table] - 1] += "".join(fresh)
    elif fresh:
        lines += ["\n", f"[{'.'.join(table)}]\n", *fresh]
    found = "".join(lines)
    if _read(found) != _wanted(text, table, values, without):
        told = "\n".join(f"  {key} = {_written(value)}" for key, value in values.items())
        raise VentureNotEdited(
            f"[{'.'.join(table)}] is written in a way that is not edited here (an inline table, a value of several "
            f"lines). Do: write into it yourself, without {', '.join(without) or 'anything else'}:\n{told}"
        )
    return found


def _written(value: Value) -> str:
    """JSON's texts, whole numbers and lists of texts are TOML's, save for one control character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _read(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _wanted(text: str, table: tuple[str, ...], values: Mapping[str, Value], without: Iterable[str]) -> dict[str, Any]:
    document = copy.deepcopy(tomllib.loads(text))
    here = document
    for part in table:
        here = here.setdefault(part, {})
    for key in without:
        here.pop(key, None)
    here.update(values)
    return document
