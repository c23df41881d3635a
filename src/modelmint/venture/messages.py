"""pydantic's findings in the user's words: what was expected, what was found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from modelmint.kit.registry import nearest
from modelmint.venture.names import not_available
from modelmint.venture.sections.base import Incoherent
from modelmint.venture.types import KeyPath

_QUOTED = re.compile(r"'([^']*)'")
_TYPES = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "list_type": "a list in [ ]",
    "dict_type": "a section",
    "model_type": "a section",
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_PATTERNS: dict[KeyPath, str] = {
    ("venture", "name"): "small letters, digits and '-', at most 63, beginning with a letter or digit "
    "(it becomes part of a web address)",
}


class Fault(NamedTuple):
    """One finding before it has a line."""

    path: KeyPath
    message: str
    suggestion: str | None = None
    #: Other values it depends on; it is void where one of them is faulty itself.
    needs: tuple[KeyPath, ...] = ()
    is_missing: bool = False
    is_incoherent: bool = False


def faults(errors: list[ErrorDetails], document: Mapping[str, Any], schema: type[BaseModel]) -> Iterator[Fault]:
    """Every finding of one validation of ``document`` against ``schema``, in the user's words."""
    for error in errors:
        path, meant = _real_path(error, document)
        if meant:
            yield from _worded(error, path, schema)


def found(value: object) -> str:
    """What the user wrote, named by its kind: ``the text 'abc'``, ``the number 5``, ``a list``."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {_short_number(value)}"
        case str():
            return f"the text {value[:40]!r}"
        case list():
            return "a list"
        case Mapping():
            return "a section"
        case date() | time():
            return f"the date or time {value}"
    return "nothing"


def _short_number(value: float) -> str:
    try:
        return f"{value}"[:20]
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "with thousands of digits"


def _real_path(error: ErrorDetails, document: Mapping[str, Any]) -> tuple[KeyPath, bool]:
    """The location of a finding without names for branches of a union, and whether that branch can be meant.

    Of ``"auto" or a list`` only the branch of the kind that the user wrote is of interest.
    """
    path: KeyPath = ()
    here: Any = document
    meant = True
    for part in error["loc"]:
        inner = _inside(here, part)
        if inner is not None:
            path, here = (*path, part), inner
        elif error["type"] == "missing" and part == error["loc"][-1]:
            path = (*path, part)
        else:
            meant = meant and str(part).startswith("list") == isinstance(here, list)
    return path, meant


def _inside(here: object, part: str | int) -> Any:
    """The value at ``part``, None where there is none (TOML has no null)."""
    if isinstance(here, list):
        return here[part] if isinstance(part, int) else None
    return here.get(part) if isinstance(here, Mapping) else None


def _worded(error: ErrorDetails, path: KeyPath, schema: type[BaseModel]) -> Iterator[Fault]:
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    if kind == "extra_forbidden":
        known = _keys_at(schema, path[:-1])
        yield Fault(path, f"unknown key; known here: {', '.join(known)}", nearest(str(path[-1]), known))
    elif kind == "missing":
        what = f"the section [{path[-1]}] is missing" if len(path) == 1 else "is missing; give it a value"
        yield Fault(path, what, is_missing=True)
    elif kind in ("literal_error", "list_type") and not_available(path, value):
        here = (
            _either(_QUOTED.findall(context["expected"]))
            if kind == "literal_error"
            else '["quantise"], or [] for float32'
        )
        yield Fault(path, f'"{value}" is not available in this version; available: {here}')
    elif kind in _TYPES:
        yield Fault(path, f"expected {_TYPES[kind]}, found {found(value)}")
    elif kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        yield Fault(path, f"expected {word} {context[key]:g}, found {_short_number(value)}")
    elif kind == "literal_error":
        choices = _QUOTED.findall(context["expected"])
        close = nearest(value, choices) if isinstance(value, str) else None
        yield Fault(path, f"expected {_either(choices)}, found {found(value)}", close)
    elif kind in ("too_short", "string_too_short"):
        unit = "entries" if kind == "too_short" else "characters"
        yield Fault(path, f"expected at least {context['min_length']} {unit}, found {found(value)}")
    elif kind == "string_pattern_mismatch":
        expected = _PATTERNS.get(path, f"a text like {context['pattern']}")
        yield Fault(path, f"expected {expected}; found {found(value)}")
    elif isinstance(reason := context.get("error"), Incoherent):
        for complaint in reason.complaints:
            needs = tuple((*path, *need) for need in complaint.needs)
            yield Fault((*path, *complaint.path), complaint.message, complaint.suggestion, needs, is_incoherent=True)
    else:
        yield Fault(path, str(context["error"]) if "error" in context else f"{error['msg']}, found {found(value)}")


def _either(choices: list[str]) -> str:
    quoted = [f'"{choice}"' for choice in choices]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


def _keys_at(schema: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that the section at ``path`` may have."""
    kind: Any = schema
    for part in path:
        section = _section(kind)
        inner = get_args(_without_none(kind))  # of a dict (key, value), of a list (item)
        kind = section.model_fields[str(part)].annotation if section is not None else inner[-1]
    section = _section(kind)
    return list(section.model_fields) if section is not None else []


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (dict, list):
        return kind
    return next((option for option in get_args(kind) if option is not type(None)), kind)


def _section(kind: Any) -> type[BaseModel] | None:
    plain = _without_none(kind)
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else None
