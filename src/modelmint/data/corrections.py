"""What a reviewer decided about single rows: a file of corrections that is applied whenever the data is frozen.

A CSV file with the columns ``name`` and ``label`` (the right label) or ``drop`` (``yes``: leave the row out), and
``note`` for people. A row whose label is confirmed may stand there too, with the label that it has: then nothing
changes, and it is not asked about again. Rows keep the split that they have without corrections.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelmint.data.errors import BadCorrections, SourceNotFound
from modelmint.data.types import Finding, RawRow
from modelmint.kit.csv_text import safe_cell
from modelmint.kit.registry import nearest

KIND = "corrected_label"
COLUMNS = ("name", "label", "drop", "note")
_YES, _NO = ("yes", "true", "1", "x"), ("", "no", "false", "0")


@dataclass(frozen=True, slots=True)
class Correction:
    """One decision. ``label`` is None where the row is dropped."""

    name: str
    label: str | None
    note: str = ""
    #: Of the file it was read from, counted from 1; 0 where it was not read.
    line: int = 0


@dataclass(frozen=True, slots=True)
class Applied:
    """Rows after corrections, what changed, and what they were before: by that they are split."""

    rows: list[RawRow]
    findings: list[Finding]
    dropped: list[RawRow]
    #: Name -> label in the source, of rows whose label changed.
    before: dict[str, str | None]


def read_corrections(path: Path) -> list[Correction]:
    """The decisions of a file, one a name; raises ``BadCorrections`` with every line that is wrong."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise SourceNotFound(
            f"[data] names corrections at {path}; there is no such file. Do: make one with "
            "modelmint data suspects --import, or take the key out"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadCorrections(f"expected a CSV file in UTF-8 at {path}: {error}") from error
    return parse_corrections(text, path.name)


def parse_corrections(text: str, called: str) -> list[Correction]:
    """The same from text; ``called`` is what messages call it."""
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey="beyond")
    problems: list[str] = []
    found: dict[str, Correction] = {}
    try:
        heads = [name.strip() for name in reader.fieldnames or ()]
        _check_heads(heads, problems)
        reader.fieldnames = heads
        for row in reader if not problems else ():
            line = reader.line_num
            correction = _correction(row, line, problems)
            if correction is None:
                continue
            earlier = found.setdefault(correction.name, correction)
            if earlier.label != correction.label:
                problems.append(
                    f"line {line}: {correction.name!r} is {_told(correction)} here and {_told(earlier)} in line "
                    f"{earlier.line}; decide which"
                )
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: {error}")
    if problems:
        raise BadCorrections(f"{called} has {len(problems)} problem{'s' * (len(problems) > 1)}", problems=problems)
    return list(found.values())


def _check_heads(heads: Sequence[str], problems: list[str]) -> None:
    if "name" not in heads or not {"label", "drop"} & set(heads):
        problems.append(
            f"line 1: expected the columns name and label, or name and drop; found {', '.join(heads) or 'none'}"
        )
    for head in heads:
        if head not in COLUMNS:
            close = nearest(head, list(COLUMNS))
            hint = f"; did you mean {close!r}?" if close else ""
            problems.append(f"line 1: expected columns out of {', '.join(COLUMNS)}; found {head!r}{hint}")


def _correction(row: Mapping[str, str | None], line: int, problems: list[str]) -> Correction | None:
    """None for an empty line, and for a wrong one after it was added to ``problems``."""
    name, label = ((row.get(key) or "").strip() for key in ("name", "label"))
    drop = (row.get("drop") or "").strip().lower()
    if not name and not label and not drop:
        return None
    if "beyond" in row:
        wrong = "has more cells than the first line has columns"
    elif not name:
        wrong = "has no name"
    elif drop not in (*_YES, *_NO):
        wrong = f"expected yes or no under drop, found {drop!r}"
    elif drop in _YES and label:
        wrong = f"{name!r} is to be dropped and to be labelled {label!r}; decide which"
    elif drop in _NO and not label:
        wrong = f"{name!r} has neither a label nor yes under drop"
    else:
        return Correction(name, None if drop in _YES else label, (row.get("note") or "").strip(), line)
    problems.append(f"line {line}: {wrong}")
    return None


def _told(correction: Correction) -> str:
    return "dropped" if correction.label is None else f"labelled {correction.label!r}"


def corrections_csv(corrections: Sequence[Correction]) -> str:
    """The text of a file of corrections, in the order of their names."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in sorted(corrections, key=lambda one: one.name):
        cells = (one.name, one.label or "", "yes" if one.label is None else "", one.note)
        writer.writerow([safe_cell(cell) for cell in cells])
    return buffer.getvalue()


def apply(corrections: Sequence[Correction], rows: Sequence[RawRow], labels: Sequence[str], called: str) -> Applied:
    """Change and drop rows as decided; raises ``BadCorrections`` for names and labels that there are not."""
    wanted = matched(corrections, [row.name for row in rows], labels, called)
    kept, findings, dropped = [], [], []
    before: dict[str, str | None] = {}
    for row in rows:
        one = wanted.get(row.name)
        note = f" ({one.note})" if one and one.note else ""
        if one is None or one.label == row.label:
            kept.append(row)
        elif one.label is None:
            dropped.append(row)
            findings.append(Finding(KIND, row.name, f"left out by {called}, line {one.line}{note}", "skipped"))
        else:
            before[row.name] = row.label
            kept.append(dataclasses.replace(row, label=one.label))
            message = f"labelled {one.label!r} instead of {row.label!r} by {called}, line {one.line}{note}"
            findings.append(Finding(KIND, row.name, message, "changed"))
    return Applied(kept, findings, dropped, before)


def matched(
    corrections: Sequence[Correction], names: Sequence[str], labels: Sequence[str], called: str
) -> dict[str, Correction]:
    """Corrections by the names that rows have; raises ``BadCorrections`` listing what fits no row or no label."""
    known = set(names)
    problems: list[str] = []
    found: dict[str, Correction] = {}
    for one in corrections:
        name = one.name.removeprefix("'") if one.name not in known else one.name  # as spreadsheets mark text
        if name not in known:
            problems.append(f"line {one.line}: no row is called {one.name!r}{_hint(one.name, names)}")
        elif one.label is not None and one.label not in labels:
            expected = f"expected one of the labels {', '.join(labels)}; found {one.label!r}"
            problems.append(f"line {one.line}: {expected}{_hint(one.label, labels)}")
        else:
            found[name] = one
    if problems:
        raise BadCorrections(
            f"{called} does not fit the data: {len(problems)} problem{'s' * (len(problems) > 1)}. "
            "Do: mend or remove these lines",
            problems=problems,
        )
    return found


def _hint(text: str, known: Sequence[str]) -> str:
    close = nearest(text, list(known[:2000]))  # of many thousand names the nearest takes long and says little
    return f"; did you mean {close!r}?" if close else ""
