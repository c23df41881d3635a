"""Suspected wrong labels as a CSV file for a person, and back with decisions.

The file has a line for each suspect, with two columns to fill in: ``decision`` (``keep``, ``relabel`` or ``drop``;
empty: not decided yet) and ``new_label`` (filled in already with the likeliest one; it counts where the decision is
``relabel``). What comes back becomes corrections, which are applied whenever the data is frozen.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from modelmint.data.corrections import Correction
from modelmint.data.errors import BadCorrections
from modelmint.data.reviews import DECISIONS, Decision, Reviewed, Suspects
from modelmint.data.version import DatasetVersion
from modelmint.kit.csv_text import csv_lines
from modelmint.kit.registry import nearest

COLUMNS = ("name", "split", "label", "suggested", "probability", "score", "flagged", "decision", "new_label")
_NEEDED = ("name", "decision")
_BEYOND = "beyond the last column"


def review_csv(suspects: Suspects, reviewed: Mapping[str, Reviewed]) -> str:
    """Every suspect of a ranking, worst first, with what was decided already."""
    rows = []
    for one in suspects.rows:
        known = reviewed.get(one.name)
        decision, label = (known.decision, known.label or "") if known else ("", one.suggested)
        flagged = "yes" if one.flagged else ""
        cells = (one.name, one.split, one.label, one.suggested, one.probability, one.score, flagged, decision, label)
        rows.append(cells)
    return "".join(csv_lines(COLUMNS, rows))


def read_review(path: Path, dataset: DatasetVersion) -> dict[str, Reviewed]:
    """Name -> decision, of the lines that have one; raises ``BadCorrections`` with every line that is wrong."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadCorrections(f"expected a reviewed CSV file in UTF-8 at {path}: {error}") from error
    labels = {row.name: dataset.labels[row.label] for split in ("train", "val") for row in dataset.rows(split)}
    reader = csv.DictReader(io.StringIO(text, newline=""), restkey=_BEYOND)
    problems: list[str] = []
    found: dict[str, tuple[Reviewed, int]] = {}
    try:
        heads = [name.strip() for name in reader.fieldnames or ()]
        problems += [f"line 1: expected a column {name!r}" for name in _NEEDED if name not in heads]
        reader.fieldnames = heads
        for row in reader if not problems else ():
            cells = {key: (value or "").strip() for key, value in row.items() if isinstance(value, str)}
            wrong = _take(cells, reader.line_num, labels, dataset.labels, found)
            if wrong:
                problems.append(f"line {reader.line_num}: {wrong}")
    except csv.Error as error:
        problems.append(f"line {reader.line_num}: {error}")
    if problems:
        raise BadCorrections(f"{path.name} has {len(problems)} problem{'s' * (len(problems) > 1)}", problems=problems)
    return {name: reviewed for name, (reviewed, _) in found.items()}


def _take(
    cells: Mapping[str, str],
    line: int,
    rows: Mapping[str, str],
    labels: Sequence[str],
    found: dict[str, tuple[Reviewed, int]],
) -> str | None:
    """Add what a line decides to ``found``; what is wrong with it, else None."""
    name, said = cells.get("name", ""), cells.get("decision", "").lower()
    if not said:
        return None
    if name not in rows:
        name = name.removeprefix("'")  # as spreadsheets mark text
    if name not in rows:
        return f"no training or validation row is called {name!r}; test rows are the judge's"
    decision = next((one for one in DECISIONS if one == said), None)
    if decision is None:
        close = nearest(said, list(DECISIONS))
        return f"expected {', '.join(DECISIONS)} or nothing, found {said!r}" + (
            f"; did you mean {close!r}?" if close else ""
        )
    label = cells.get("new_label", "")
    if decision == "relabel" and label not in labels:
        close = nearest(label, list(labels))
        hint = f"; did you mean {close!r}?" if close else ""
        return f"to relabel, expected one of {', '.join(labels)} under new_label; found {label!r}{hint}"
    reviewed = Reviewed(decision, _label(decision, rows[name], label))
    earlier = found.setdefault(name, (reviewed, line))
    return None if earlier[0] == reviewed else f"{name!r} is decided otherwise in line {earlier[1]}; decide which"


def _label(decision: Decision, own: str, new: str) -> str | None:
    return None if decision == "drop" else own if decision == "keep" else new


def as_corrections(decisions: Mapping[str, Reviewed], before: Sequence[Correction]) -> list[Correction]:
    """The file of corrections with the new decisions in place of older ones on the same rows."""
    merged = {one.name: one for one in before}
    for name, one in decisions.items():
        merged[name] = Correction(name, one.label, "confirmed" if one.decision == "keep" else "")
    return [merged[name] for name in sorted(merged)]


def decided(corrections: Sequence[Correction], dataset: DatasetVersion) -> dict[str, Reviewed]:
    """What a file of corrections that was applied already says of the rows of ``dataset``."""
    changed = {one.name for one in dataset.findings if one.kind == "corrected_label"}
    labels = {row.name: dataset.labels[row.label] for split in ("train", "val") for row in dataset.rows(split)}
    return {
        one.name: Reviewed("relabel" if one.name in changed else "keep", one.label)
        for one in corrections
        if one.label is not None and labels.get(one.name) == one.label
    }
