"""Which line of a TOML text a key stands on.

``tomllib`` gives values without places. This scanner reads the same text again and notes, for every key path,
the line where it first appears: headers, arrays of tables, dotted keys, inline tables, items of arrays. It is
meant for text that ``tomllib`` accepts; on anything else it stops early and keeps what it has.
"""

from __future__ import annotations

import contextlib
import tomllib

from modelmint.venture.types import KeyPath

_BARE_END = frozenset(" \t\r\n=.]#,{}[\"'")
_SCALAR_END = frozenset(",]}\r\n#")
_DEEPEST = 64


def key_lines(text: str) -> dict[KeyPath, int]:
    """Key path (names and array places) -> line, counted from 1."""
    scanner = _Scanner(text)
    with contextlib.suppress(_Stopped):  # the text is not TOML; what was found so far still helps
        scanner.document()
    return scanner.lines


def line_of(path: KeyPath, lines: dict[KeyPath, int]) -> int:
    """The line of ``path``, or of the nearest table around it; 1 where there is none."""
    for end in range(len(path), 0, -1):
        if path[:end] in lines:
            return lines[path[:end]]
    return 1


def _unescaped(content: str) -> str:
    if "\\" not in content:
        return content
    try:
        return str(tomllib.loads(f'text = "{content}"')["text"])
    except ValueError:
        raise _Stopped from None


class _Stopped(Exception):
    """The text is not what a TOML document looks like."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.lines: dict[KeyPath, int] = {}
        self._last_item: dict[KeyPath, int] = {}

    # -- characters ---------------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def _move(self, count: int = 1) -> None:
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise _Stopped
        self._move()

    def _skip(self, characters: str) -> None:
        """Pass ``characters`` and, where line ends are among them, comments."""
        while (found := self._peek()) and (found in characters or (found == "#" and "\n" in characters)):
            if found == "#":
                end = self.text.find("\n", self.at)
                self._move((len(self.text) if end < 0 else end) - self.at)
            else:
                self._move()

    # -- structure ----------------------------------------------------------------------------------------

    def document(self) -> None:
        """Walk the whole text."""
        table: KeyPath = ()
        while True:
            self._skip(" \t\r\n")
            if not self._peek():
                return
            if self._peek() == "[":
                table = self._header()
            else:
                self._pair(table, 0)

    def _header(self) -> KeyPath:
        line = self.line
        self._expect("[")
        is_item = self._peek() == "["
        if is_item:
            self._move()
        key = self._key()
        path: KeyPath = ()
        for place, part in enumerate(key):
            path = (*path, part)
            last = place == len(key) - 1
            self.lines.setdefault(path, line)
            if last and is_item:
                self._last_item[path] = self._last_item.get(path, -1) + 1
            if path in self._last_item:
                path = (*path, self._last_item[path])
        self.lines.setdefault(path, line)
        self._expect("]")
        if is_item:
            self._expect("]")
        return path

    def _pair(self, table: KeyPath, depth: int) -> None:
        line = self.line
        path = table
        for part in self._key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        self._expect("=")
        self._skip(" \t")
        self._value(path, depth)

    def _key(self) -> list[str]:
        parts = []
        while True:
            self._skip(" \t")
            parts.append(self._string() if self._peek() in ("'", '"') else self._bare())
            self._skip(" \t")
            if self._peek() != ".":
                return parts
            self._move()

    def _bare(self) -> str:
        start = self.at
        while self._peek() and self._peek() not in _BARE_END:
            self.at += 1
        if self.at == start:
            raise _Stopped
        return self.text[start : self.at]

    def _value(self, path: KeyPath, depth: int) -> None:
        if depth > _DEEPEST:
            raise _Stopped
        first = self._peek()
        if first == "[":
            self._array(path, depth)
        elif first == "{":
            self._inline_table(path, depth)
        elif first in ("'", '"') and first:
            self._string()
        else:
            while self._peek() and self._peek() not in _SCALAR_END:
                self.at += 1

    def _array(self, path: KeyPath, depth: int) -> None:
        self._expect("[")
        place = 0
        while True:
            self._skip(" \t\r\n")
            if self._peek() == "]":
                self._move()
                return
            item = (*path, place)
            self.lines.setdefault(item, self.line)
            self._value(item, depth + 1)
            place += 1
            self._skip(" \t\r\n")
            if self._peek() == ",":
                self._move()
            elif self._peek() != "]":
                raise _Stopped

    def _inline_table(self, path: KeyPath, depth: int) -> None:
        self._expect("{")
        while True:
            self._skip(" \t\r\n")
            if self._peek() == "}":
                self._move()
                return
            self._pair(path, depth + 1)
            self._skip(" \t\r\n")
            if self._peek() == ",":
                self._move()
            elif self._peek() != "}":
                raise _Stopped

    # -- texts --------------------------------------------------------------------------------------------

    def _string(self) -> str:
        quote = self._peek()
        if self.text.startswith(quote * 3, self.at):
            return self._long_string(quote)
        self._move()
        start = self.at
        while (found := self._peek()) != quote:
            if not found or found == "\n":
                raise _Stopped
            self._move(2 if found == "\\" and quote == '"' else 1)
        content = self.text[start : self.at]
        self._move()
        return _unescaped(content) if quote == '"' else content

    def _long_string(self, quote: str) -> str:
        self._move(3)
        start = self.at
        while not self.text.startswith(quote * 3, self.at):
            if not self._peek():
                raise _Stopped
            self._move(2 if self._peek() == "\\" and quote == '"' else 1)
        while self.text.startswith(quote * 4, self.at):  # the text may end with quotes of its own
            self._move()
        content = self.text[start : self.at]
        self._move(3)
        return content
