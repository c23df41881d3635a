"""Reading TOML so that a slip in one line does not hide what is wrong in the others."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from modelmint.venture.types import Problem

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")
_MOST = 20
#: tomllib's words -> ours. Texts hold what is wrong and what to write instead.
_MEANING: tuple[tuple[str, str], ...] = (
    ("Illegal character '\\n'", 'a text is not closed; put a " at its end'),
    ("Unterminated string", "a text is not closed; put its closing quotes"),
    ('Expected \'"""\'', "a text of several lines is not closed; put three quotes at its end"),
    ("Expected \"'''\"", "a text of several lines is not closed; put three quotes at its end"),
    ("Unclosed array", "a list is not closed; a ',' or ']' is missing before this place"),
    ("Unclosed inline table", "an inline table is not closed; a ',' or '}' is missing before this place"),
    ("Expected '=' after a key", "expected key = value"),
    ("Expected ']' at the end of a table declaration", "a section name is not closed; write [name]"),
    ("Expected ']]' at the end of an array declaration", "a section name is not closed; write [[name]]"),
    ("Expected newline or end of document after a statement", "there is more after the value; one key = value a line"),
    ("Invalid initial character for a key part", "a key cannot start like this; write key = value or [section]"),
    ("Invalid statement", "expected key = value or [section]"),
    ("Invalid value", 'a value cannot be read; texts need quotes, like name = "shop"'),
    ("Cannot overwrite a value", "this key was given before; give it once"),
    ("Duplicate inline table key", "this key was given before; give it once"),
    ("Cannot declare", "this section was begun before; join the two"),
    ("Cannot mutate immutable namespace", "this table was already written in one line; put the key there"),
    ("Cannot redefine namespace", "this section was already written as keys; join the two"),
    ("Unescaped '\\' in a string", "a \\ in a text must be doubled: write \\\\ or use / in paths"),
    ("Invalid hex value", "an escape like \\u00e9 needs hexadecimal digits; for a path write \\\\ or /"),
    ("Escaped character is not a Unicode scalar value", "an escape names no character"),
    ("Invalid date or datetime", "there is no such date"),
    ("Found invalid character", "a character that cannot stand here; was it pasted from elsewhere?"),
    ("Illegal character", "a character that cannot stand here; was it pasted from elsewhere?"),
)
_ONE_LINE = re.compile(r"""\s*[\w."'-]+\s*=""")


def parse(text: str) -> tuple[dict[str, Any], list[Problem], str]:
    """The document, its syntax problems, and the text that was read: without the faulty lines, which became empty."""
    lines = text.split("\n")
    problems: list[Problem] = []
    latest = 0
    while True:
        try:
            return tomllib.loads("\n".join(lines)), problems, "\n".join(lines)
        except RecursionError:
            return {}, [*problems, Problem(1, "", "lists are nested too deeply to be read")], ""
        except ValueError as error:  # TOMLDecodeError; int() itself on a number of thousands of digits
            message, line = _place(str(error), len(lines))
        problems.append(Problem(line, _shown(lines[line - 1]), _explained(message)))
        if not _stands_alone(lines[line - 1]) or line <= latest or len(problems) >= _MOST:
            return {}, problems, ""
        latest = line
        lines[line - 1] = ""


def _place(message: str, last: int) -> tuple[str, int]:
    match = _PLACE.search(message)
    line = int(match[1]) if match and match[1] else last
    return _PLACE.sub("", message), max(1, min(line, last))


def _stands_alone(line: str) -> bool:
    """Whether leaving the line out leaves the rest as it was meant: no section begins or list ends in it."""
    balanced = line.count("[") == line.count("]") and line.count("{") == line.count("}")
    return bool(_ONE_LINE.match(line)) and balanced and "'" * 3 not in line and '"' * 3 not in line


def _explained(message: str) -> str:
    for begins, meaning in _MEANING:
        if message.startswith(begins):
            return meaning
    return f"this is not TOML: {message[0].lower()}{message[1:]}" if message else "this is not TOML"


def _shown(line: str) -> str:
    """The faulty line, short, for the place where other problems name their key."""
    cleaned = "".join(character if character.isprintable() else "?" for character in line.strip())
    return f"`{cleaned[:40]}{'...' if len(cleaned) > 40 else ''}`"
