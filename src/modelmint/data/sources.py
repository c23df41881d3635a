"""From ``[data]`` to rows: which reader reads what, and how separate train, val and test paths become one."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from modelmint.data.errors import SourceNotFound, UnreadableSource
from modelmint.data.readers.files import natural, shown
from modelmint.data.readers.registry import READERS
from modelmint.data.types import RawData, RawRow, Reader, Source, Split
from modelmint.kit.registry import nearest
from modelmint.venture.sections.data import DataSection


def read_all(section: DataSection, root: Path) -> RawData:
    """All rows that ``section`` names, undecoded. ``root``: the folder that relative paths start from."""
    parts = [(split, _read(_reader(section, source), source)) for split, source in _sources(section, root)]
    if len(parts) == 1 and parts[0][0] is None:
        return parts[0][1]
    labels = {label for _, data in parts for label in data.labels}
    facts = {key: value for _, data in reversed(parts) for key, value in data.facts.items()}
    findings = [
        dataclasses.replace(finding, name=f"{split}/{finding.name}")
        for split, data in parts
        for finding in data.findings
    ]
    rows = [_within(split, row) for split, data in parts if split for row in data.rows]
    return RawData(tuple(rows), tuple(sorted(labels, key=natural)), facts, tuple(findings))


def files_read(section: DataSection, root: Path) -> dict[str, Path]:
    """Every file that ``read_all`` and its rows would read, by a name that does not depend on where ``root`` lies."""
    found: dict[str, Path] = {}
    for split, source in _sources(section, root):
        reader = _reader(section, source)
        base = source.path if source.path.is_dir() else source.path.parent
        for file in reader.files(source):
            inside = file.relative_to(base).as_posix() if file.is_relative_to(base) else file.name
            name = f"{split or 'source'}:{shown(inside)}"
            if name in found:  # two spellings of one text; the bytes tell them apart
                name += f" {os.fsencode(inside).hex()}"
            found[name] = file
    if section.corrections is not None:
        found["corrections"] = corrections_file(section.corrections, root)
    return found


def corrections_file(stated: str, root: Path) -> Path:
    """Where the file of corrections lies that ``[data]`` names."""
    return (root / Path(stated).expanduser()).resolve()


def _sources(section: DataSection, root: Path) -> Iterator[tuple[Split | None, Source]]:
    stated: tuple[tuple[Split | None, str | None], ...] = (
        (None, section.source),
        ("train", section.train),
        ("val", section.val),
        ("test", section.test),
    )
    for split, text in stated:
        if text is not None:
            path = (root / Path(text).expanduser()).resolve()
            yield split, Source(text, path, tuple(section.labels or ()))


def _reader(section: DataSection, source: Source) -> Reader:
    if section.format is not None:
        return READERS.get(section.format)
    for name in READERS.names():
        reader = READERS.get(name)
        if reader.recognises(source):
            return reader
    if not source.path.exists():
        beside = [path.name for path in source.path.parent.iterdir()] if source.path.parent.is_dir() else []
        close = nearest(source.path.name, beside)
        hint = f"; did you mean {close!r}?" if close else ""
        raise SourceNotFound(f"[data] names {source.text!r}; there is nothing at {source.path}{hint}")
    known = "; ".join(f"{name}: {READERS.get(name).reads}" for name in READERS.names())
    raise UnreadableSource(f"no reader knows {source.path}. Known: {known}")


def _read(reader: Reader, source: Source) -> RawData:
    data = reader.read(source)
    names = Counter(row.name for row in data.rows)
    if len(names) < len(data.rows):  # findings and splits go by name
        name, times = names.most_common(1)[0]
        raise UnreadableSource(f"expected a name of its own for every row of {source.text}, found {times} of {name!r}")
    return data


def _within(split: Split, row: RawRow) -> RawRow:
    """``row`` as a part of ``split``; a source that has splits of its own would mix them."""
    if row.split is not None:
        raise UnreadableSource(
            f"{split} names data with splits of its own ({row.name} is {row.split}); name it as data.source instead"
        )
    return dataclasses.replace(row, name=f"{split}/{row.name}", split=split)
