"""Reading, checking, splitting and writing down: from ``[data]`` to a ``DatasetVersion``.

Two passes, so that no more than one picture a thread is ever in memory: the first decodes and digests every
row, the second copies the payloads of the rows that stay, in an order that depends on their names alone.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from modelmint.data.checks import (
    HARMLESS,
    class_findings,
    known_labels,
    trained_labels,
    without_copies,
    without_shared_groups,
)
from modelmint.data.corrections import Applied, apply, read_corrections
from modelmint.data.errors import DataRefused, SourceChanged, TooLittleData, UnreadableSource
from modelmint.data.inspect import Looked, look_at_all
from modelmint.data.leaks import told, twins_among, without_twins
from modelmint.data.readers.files import natural
from modelmint.data.shift import shift, shift_findings
from modelmint.data.sources import corrections_file, files_read, read_all
from modelmint.data.splits import Member, cut
from modelmint.data.stamps import digests_of
from modelmint.data.types import SPLITS, Finding, RawData, RawRow, Row, Split
from modelmint.data.version import ABOUT, FINDINGS, PAYLOADS, ROWS, SCHEMA, SHIFT, DatasetVersion, content_digest
from modelmint.kit.canonical import canonical_json, pretty_json
from modelmint.kit.digest import digest_bytes, digest_value
from modelmint.kit.files import atomic_folder
from modelmint.kit.progress import Progress
from modelmint.kit.registry import nearest
from modelmint.venture.sections.data import DataSection

_SHOWN = 5


class Settled(NamedTuple):
    """What stays after all checks, before it is written."""

    rows: list[tuple[Looked, Split]]
    labels: tuple[str, ...]
    findings: list[Finding]
    facts: dict[str, str]
    #: How the splits differ, plain JSON.
    shift: dict[str, Any]


def freeze(section: DataSection, root: Path, into: Path, progress: Progress) -> DatasetVersion:
    """Freeze what ``section`` names (relative paths start from ``root``) in the folder ``into``, all or nothing.

    Raises ``SourceNotFound``, ``UnreadableSource``, ``SourceTooLarge``, ``TooLittleData``; ``DataRefused``, listing
    every finding, where ``section.on_problem`` is ``"fail"``; ``SourceChanged`` where a file changes meanwhile.
    """
    settled = _settle(section, root, progress)
    temporary = into.with_name(f"{into.name}.frozen") if into.exists() else into
    shutil.rmtree(temporary, ignore_errors=True)
    with atomic_folder(temporary) as folder:
        _write(settled, section, folder, progress)
    if temporary != into:  # the caller made the folder; what marks it complete comes last
        for name in (PAYLOADS, ROWS, FINDINGS, SHIFT, ABOUT):
            (temporary / name).replace(into / name)
        temporary.rmdir()
    return DatasetVersion.open(into)


def source_digest(section: DataSection, root: Path, cache: Path | None) -> str:
    """Digest of the content of everything that ``freeze`` would read, and of the places it has in the source.

    With a ``cache`` file, a file whose size, times and inode have not changed is not read again.
    """
    return digest_value(digests_of(files_read(section, root), cache))


def _settle(section: DataSection, root: Path, progress: Progress) -> Settled:
    raw = read_all(section, root)
    labels = _labels(section, raw)
    applied = _corrected(section, root, raw.rows, labels)
    known, unknown = known_labels(sorted(applied.rows, key=lambda row: row.name), labels)
    looked, unreadable = look_at_all(known, section.max_pixels, progress)
    single, copies = without_copies(looked)
    group_of = _grouping(section.group)
    apart, shared = without_shared_groups(single, group_of)
    twins = [] if section.near_duplicates == "off" else twins_among(apart, section.max_pixels, progress)
    findings = [*raw.findings, *applied.findings, *unknown, *unreadable, *copies, *shared]
    if section.near_duplicates == "skip":
        apart, near = without_twins(apart, twins)
        findings += near
    split_of, how = _splits(apart, applied, section, group_of)
    near, facts = told(twins, split_of) if section.near_duplicates != "off" else ([], {})
    findings += near
    training = [row.label for row in apart if split_of.get(row.name) == "train"]
    trained = set(training)
    findings += class_findings(training, labels, declared=section.labels is not None)
    if section.labels is None:
        findings += trained_labels(apart, trained)
        labels = tuple(label for label in labels if label in trained)
    if section.on_problem == "fail":
        _refuse(findings)
    rows = sorted(((row, split_of[row.name]) for row in apart if row.label in labels), key=lambda pair: pair[0].name)
    _enough(Counter(split for _, split in rows), trained, labels, findings)
    shifted = shift(rows, labels)
    findings += shift_findings(shifted)
    findings.sort(key=lambda finding: (finding.kind, natural(finding.name)))
    return Settled(rows, labels, findings, raw.facts | facts | {"splits": how}, shifted)


def _labels(section: DataSection, raw: RawData) -> tuple[str, ...]:
    labels = tuple(section.labels or raw.labels)
    if section.positive is not None and (section.positive not in labels or len(labels) != 2):
        close = nearest(section.positive, list(labels))
        hint = f"; did you mean {close!r}?" if close else ""
        raise UnreadableSource(
            f"data.positive is {section.positive!r}; expected one of two labels, found {', '.join(labels)}{hint}"
        )
    return labels


def _grouping(pattern: str | None) -> Callable[[str], str | None]:
    if pattern is None:
        return lambda _name: None
    compiled = re.compile(pattern)

    def group_of(name: str) -> str | None:
        match = compiled.search(name)
        if match is None:
            return None
        return (match.group(1) if compiled.groups else match.group(0)) or None

    return group_of


def _corrected(section: DataSection, root: Path, rows: Sequence[RawRow], labels: Sequence[str]) -> Applied:
    if section.corrections is None:
        return Applied(list(rows), [], [], {})
    decided = read_corrections(corrections_file(section.corrections, root))
    return apply(decided, rows, labels, section.corrections)


def _splits(
    rows: Sequence[Looked], applied: Applied, section: DataSection, group_of: Callable[[str], str | None]
) -> tuple[dict[str, Split], str]:
    """Name -> split, and one sentence on how they came about. Stated splits stay; missing ones are cut from train.

    They are cut as if nothing had been corrected: a row that a reviewer changes moves no other row.
    """
    stated: dict[str, Split] = {row.name: row.split for row in rows if row.split is not None}
    present = set(stated.values())
    shares: dict[Split, float] = {}
    if "val" not in present:
        shares["val"] = section.val_fraction
    if "test" not in present:
        shares["test"] = section.test_fraction
    if not shares:
        return stated, "as the source states them"
    pooled: list[Looked | RawRow] = [*rows, *applied.dropped]
    pool = [
        Member(row.name, applied.before.get(row.name, row.label) or "", group_of(row.name))
        for row in pooled
        if row.split in (None, "train")
    ]
    made = " and ".join(f"{split} ({share:.0%})" for split, share in shares.items())
    by = "by class and by group" if section.group else "by class"
    how = f"{made} cut from {'train' if stated else 'all rows'} {by}, seed {section.split_seed}"
    made_now = stated | cut(pool, shares, section.split_seed)
    return {row.name: made_now[row.name] for row in rows}, how


def _refuse(findings: Sequence[Finding]) -> None:
    bad = [finding for finding in findings if finding.kind not in HARMLESS]
    if not bad:
        return
    counts = Counter(finding.kind for finding in bad)
    found = ", ".join(f"{number} {kind}" for kind, number in counts.most_common())
    raise DataRefused(
        f'data.on_problem is "fail" and the data has problems: {found}. '
        'Do: mend the files, or set on_problem = "skip" to go on without them',
        problems=[f"{finding.name}: {finding.kind}: {finding.message}" for finding in bad],
        details={"findings": dict(counts)},
    )


def _enough(counts: Counter[Split], trained: set[str], labels: Sequence[str], findings: Sequence[Finding]) -> None:
    lacking = [split for split in SPLITS if not counts[split]]
    if len(trained) >= 2 and not lacking:
        return
    found = ", ".join(f"{counts[split]} {split}" for split in SPLITS)
    problems = [f"{finding.name}: {finding.kind}: {finding.message}" for finding in findings[:_SHOWN]]
    more = [f"and {len(findings) - _SHOWN} more"] if len(findings) > _SHOWN else []
    raise TooLittleData(
        f"expected training rows of at least two labels and rows in every split; found {found} rows and training rows "
        f"of {len(trained)} of the labels {', '.join(labels) or '(none)'}. Do: add pictures, or see what was left out",
        problems=problems + more,
    )


def _write(settled: Settled, section: DataSection, folder: Path, progress: Progress) -> None:
    places = {label: place for place, label in enumerate(settled.labels)}
    group_of = _grouping(section.group)
    offset = 0
    lines = []
    whole = hashlib.sha256()
    with (folder / PAYLOADS).open("wb") as file, progress.bar("freezing pictures", len(settled.rows)) as bar:
        for looked, split in settled.rows:
            payload = _unchanged(looked)
            file.write(payload)
            whole.update(payload)
            row = Row(
                looked.name,
                split,
                places[looked.label],
                group_of(looked.name),
                looked.payload_digest,
                offset,
                len(payload),
            )
            lines.append(canonical_json(row) + b"\n")
            offset += len(payload)
            bar.advance()
    rows = b"".join(lines)
    (folder / ROWS).write_bytes(rows)
    findings = b"".join(canonical_json(finding) + b"\n" for finding in settled.findings)
    (folder / FINDINGS).write_bytes(findings)
    (folder / SHIFT).write_text(pretty_json(settled.shift), encoding="utf-8")
    seen = [looked for looked, split in settled.rows if split != "test"]
    training = [looked for looked, split in settled.rows if split == "train"]
    about = {
        "schema": SCHEMA,
        "labels": settled.labels,
        "positive": section.positive,
        "channels": 1 if all(looked.grey for looked in seen) else 3,
        "sizes": [_median(looked.width for looked in training), _median(looked.height for looked in training)],
        "counts": {split: sum(found == split for _, found in settled.rows) for split in SPLITS},
        "facts": settled.facts if section.licence == "not stated" else settled.facts | {"licence": section.licence},
        "files": {
            PAYLOADS: whole.hexdigest(),
            ROWS: digest_bytes(rows),
            FINDINGS: digest_bytes(findings),
        },
    }
    (folder / ABOUT).write_text(pretty_json(about | {"digest": content_digest(about)}), encoding="utf-8")


def _unchanged(looked: Looked) -> bytes:
    try:
        payload = looked.raw.load()
    except OSError as error:
        raise SourceChanged(f"{looked.name} vanished while the data was being frozen; build again") from error
    if digest_bytes(payload) != looked.payload_digest:
        raise SourceChanged(f"{looked.name} changed while the data was being frozen; build again")
    return payload


def _median(values: Iterator[int]) -> int:
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
