"""A list file: one ``label path`` or ``path label`` a line, pictures beside it or in a folder named like it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelmint.data.errors import UnreadableSource
from modelmint.data.readers.files import loader, natural
from modelmint.data.types import Finding, RawData, RawRow, Source

_ENDINGS = (".txt", ".lst", ".list", ".tsv")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_TRIED = 200
#: Of a text file; not U+2028 and its like, which a name may hold.
_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    #: The line as (first word, rest) and (all but the last word, last word).
    label_first: tuple[str, str]
    path_first: tuple[str, str]


class Lists:
    """Lines are split at a tab, else at white space; ``"quotes"`` hold spaces together; ``#`` begins a comment line."""

    reads = "a text file of 'label path' lines, its pictures beside it or in a folder named like it"

    def recognises(self, source: Source) -> bool:
        return source.path.is_file() and source.path.suffix.lower() in _ENDINGS

    def files(self, source: Source) -> Sequence[Path]:
        lines, _ = _lines(source)
        named = {_place(source.path, name) for _, _, name in _oriented(lines, source.path)}
        return [source.path, *sorted(path for path in named if _exists(path))]

    def read(self, source: Source) -> RawData:
        lines, findings = _lines(source)
        if not lines:
            raise UnreadableSource(f"expected {self.reads}; {source.path} has no such line")
        entries = _oriented(lines, source.path)
        labels, facts = _label_names({label for _, label, _ in entries}, source.labels)
        base = source.path.parent
        rows: dict[str, RawRow] = {}
        for number, label, name in entries:
            unique = f"{name} (line {number})" if name in rows else name
            rows[unique] = RawRow(unique, labels[label], None, loader(_place(source.path, name), base))
        ordered = tuple(sorted(set(labels.values()), key=natural))
        return RawData(tuple(rows.values()), ordered, {"format": "list", **facts}, tuple(findings))


def _lines(source: Source) -> tuple[list[_Line], list[Finding]]:
    try:
        text = source.path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableSource(
            f"expected {source.path} in UTF-8, found other bytes at {error.start}; save it so"
        ) from error
    lines, findings = [], []
    labels = tuple(sorted(source.labels, key=len, reverse=True))  # one may begin or end with another
    for number, raw in enumerate(_LINE_END.split(text), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        first, last = _first_and_rest(line, labels), _all_and_last(line, labels)
        if first is None or last is None:
            message = f"expected a label and a path, found {line[:60]!r}"
            findings.append(Finding("unknown_label", f"{source.path.name}, line {number}", message, "skipped"))
        else:
            lines.append(_Line(number, first, last))
    return lines, findings


def _first_and_rest(line: str, labels: tuple[str, ...]) -> tuple[str, str] | None:
    for label in labels:  # a declared label may hold spaces
        if " " in label and line.startswith((f"{label} ", f"{label}\t")):
            return label, _bare(line[len(label) :])
    if "\t" in line:
        first, _, rest = line.partition("\t")
    elif line[0] in "\"'" and line[0] in line[1:]:
        first, _, rest = line[1:].partition(line[0])
    else:
        first, rest = [*line.split(maxsplit=1), ""][:2]
    return (_bare(first), _bare(rest)) if _bare(rest) else None


def _all_and_last(line: str, labels: tuple[str, ...]) -> tuple[str, str] | None:
    for label in labels:
        if " " in label and line.endswith((f" {label}", f"\t{label}")):
            return _bare(line[: -len(label)]), label
    if "\t" in line:
        rest, _, last = line.rpartition("\t")
    elif line[-1] in "\"'" and line[-1] in line[:-1]:
        rest, _, last = line[:-1].rpartition(line[-1])
    else:
        rest, _, last = line.rpartition(" ")
    return (_bare(rest), _bare(last)) if _bare(rest) else None


def _bare(text: str) -> str:
    stripped = text.strip()
    quoted = len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'"
    return stripped[1:-1] if quoted else stripped


def _oriented(lines: list[_Line], listing: Path) -> list[tuple[int, str, str]]:
    """(number, label, path) of every line: the order in which more of the paths exist, then look like pictures."""
    sample = lines[:: max(1, len(lines) // _TRIED)]
    label_first = sum(_evidence(listing, line.label_first[1]) for line in sample)
    path_first = sum(_evidence(listing, line.path_first[0]) for line in sample)
    if path_first > label_first:
        return [(line.number, line.path_first[1], line.path_first[0]) for line in lines]
    return [(line.number, *line.label_first) for line in lines]


def _evidence(listing: Path, name: str) -> int:
    looks = name.lower().endswith(_PICTURES)
    return 2 * _exists(_place(listing, name)) + looks


def _exists(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _place(listing: Path, name: str) -> Path:
    """Where ``name`` lies: beside the list, else in the folder named like it; ``\\`` may stand for ``/``."""
    beside = listing.parent / name
    for spelling in (name, name.replace("\\", "/")):
        for candidate in (listing.parent / spelling, listing.parent / listing.stem / spelling):
            if _exists(candidate):
                return candidate
    return beside


def _label_names(distinct: set[str], declared: tuple[str, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Written label -> name; numbers are places in the declared labels where those are not numbers themselves."""
    by_place = {str(place): name for place, name in enumerate(declared)}
    if declared and not distinct <= set(declared) and distinct <= set(by_place):
        return {number: by_place[number] for number in distinct}, {"label_numbers": "places in data.labels, from 0"}
    return {label: label for label in distinct}, {}
