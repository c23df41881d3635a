"""What is wrong between rows: labels, copies, leaks, contradictions, classes. Every check returns what it kept
and one finding for everything it noticed; nothing is dropped without one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from modelmint.data.inspect import Looked
from modelmint.data.types import Finding, RawRow
from modelmint.kit.registry import nearest

#: Where a copy is worth most: a test row is never dropped, a validation row only for a test row.
WORTH = {"test": 0, "val": 1, "train": 2, None: 2}
#: Largest class over smallest, in training rows, from which on the imbalance is reported.
_IMBALANCED = 5.0
#: Findings that do not stop a build with ``on_problem = "fail"``: nothing in the files can be mended, or nothing is
#: known to be wrong with them. A near duplicate and a shift are suspicions of a measure with a bound, not facts.
HARMLESS = frozenset({"imbalance", "near_duplicate", "split_shift", "corrected_label"})


def known_labels(rows: Iterable[RawRow], labels: Sequence[str]) -> tuple[list[RawRow], list[Finding]]:
    """Rows whose label is one of ``labels``."""
    kept: list[RawRow] = []
    findings: list[Finding] = []
    for row in rows:
        if row.label in labels:
            kept.append(row)
            continue
        close = nearest(row.label or "", list(labels))
        hint = f"; did you mean {close!r}?" if close else ""
        message = f"expected one of the labels {', '.join(labels)}; found {row.label!r}{hint}"
        findings.append(Finding("unknown_label", row.name, message, "skipped"))
    return kept, findings


def without_copies(rows: Sequence[Looked]) -> tuple[list[Looked], list[Finding]]:
    """One row for each picture (same pixels), in the split where it is worth most; all copies in test stay."""
    alike: dict[str, list[Looked]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (WORTH[row.split], row.name)):
        alike[row.pixel_digest].append(row)
    findings = [finding for same in alike.values() if len(same) > 1 for finding in _judged(same)]
    return _left(rows, findings), findings


def _judged(same: list[Looked]) -> Iterator[Finding]:
    """Findings over rows of one picture, the most worthy first."""
    if len({row.label for row in same}) > 1:
        yield from map(_contradiction(same), same)
        return
    first = same[0]
    for row in same[1:]:
        if row.split != first.split:
            message = f"the same picture is in {row.split} and in {first.split}; it stays in {first.split} only"
            yield Finding("split_overlap", row.name, message, "skipped", first.name)
        elif row.split == "test":
            message = "the same picture is in test twice; both count, so that results compare with published ones"
            yield Finding("exact_duplicate", row.name, message, "kept", first.name)
        else:
            message = "the same picture is there twice with the same label; one is enough"
            yield Finding("exact_duplicate", row.name, message, "skipped", first.name)


def _contradiction(same: list[Looked]) -> Callable[[Looked], Finding]:
    def finding(row: Looked) -> Finding:
        other = next(them for them in same if them.label != row.label)
        message = f"is labelled {row.label!r}, the same picture is labelled {other.label!r} elsewhere; decide which"
        return Finding(
            "contradicting_label", row.name, message, "kept" if row.split == "test" else "skipped", other.name
        )

    return finding


def without_shared_groups(
    rows: Sequence[Looked], group_of: Callable[[str], str | None]
) -> tuple[list[Looked], list[Finding]]:
    """Rows whose group stands in one stated split only: it stays where it is worth most."""
    best: dict[str, Looked] = {}
    for row in sorted(rows, key=lambda row: (WORTH[row.split], row.name)):
        group = group_of(row.name)
        if group is not None:
            best.setdefault(group, row)
    findings = []
    for row in rows:
        group = group_of(row.name)
        if group is not None and row.split != best[group].split:
            message = f"its group {group!r} is in {best[group].split} too; it stays in {best[group].split} only"
            findings.append(Finding("split_overlap", row.name, message, "skipped", best[group].name))
    return _left(rows, findings), findings


def trained_labels(rows: Iterable[Looked], trained: Collection[str]) -> list[Finding]:
    """A finding for every row whose label nothing is trained on, where labels are what the data shows."""
    message = "its label {!r} has no picture to train on, so it is no label of this dataset; add some or declare it"
    return [
        Finding("unknown_label", row.name, message.format(row.label), "skipped")
        for row in rows
        if row.label not in trained
    ]


def class_findings(training: Iterable[str], labels: Sequence[str], declared: bool) -> list[Finding]:
    """Classes without training rows, and a strong imbalance of the others. ``training``: the label of each row."""
    counts = Counter(training)
    findings = []
    for label in labels:
        if not counts[label]:
            done = "stays a label as data.labels names it" if declared else "is no label of this dataset"
            message = f"no picture to train on; it {done}"
            findings.append(Finding("empty_class", label, message, "kept" if declared else "skipped"))
    if counts and max(counts.values()) >= _IMBALANCED * min(counts.values()):
        (most, high), (least, low) = counts.most_common()[0], counts.most_common()[-1]
        message = (
            f"{high} training pictures of {most!r} and {low} of {least!r}; "
            'consider model.class_weights = "balanced" and look at balanced_accuracy'
        )
        findings.append(Finding("imbalance", least, message, "kept"))
    return findings


def _left(rows: Sequence[Looked], findings: Iterable[Finding]) -> list[Looked]:
    gone = {finding.name for finding in findings if finding.action == "skipped"}
    return [row for row in rows if row.name not in gone]
