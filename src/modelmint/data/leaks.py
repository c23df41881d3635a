"""What is done about near duplicates: told, or the less worthy one is left out.

An exact copy loses nothing when it is left out, so it always is. A near one may be another picture of the same
patient, and whether it may go is the founder's to say: the default is to report. A test row stays in any case, so that
results compare with published ones; what has a twin in training is counted, because it makes the test look better.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from PIL import Image

from modelmint.data.checks import WORTH
from modelmint.data.inspect import Looked
from modelmint.data.near import Twins, near_twins
from modelmint.data.perceptual import pixels_of
from modelmint.data.pictures import open_picture
from modelmint.data.types import SPLITS, Finding, Split
from modelmint.kit.progress import Progress

KIND = "near_duplicate"


def twins_among(rows: Sequence[Looked], max_pixels: int, progress: Progress) -> list[tuple[Looked, Looked, float]]:
    """Pairs of rows that are near duplicates: the more worthy first, and how alike they are."""
    if len(rows) < 2:
        return []

    def load(place: int) -> Image.Image:
        return open_picture(rows[place].raw.load(), max_pixels)

    sides = np.array([min(row.width, row.height) for row in rows], dtype=np.int64)
    found = near_twins(pixels_of([row.thumbnail for row in rows]), sides, load, progress)
    # Copies with the very same pixels have findings already, and those left of them stay on purpose.
    apart = (pair for pair in found if rows[pair.first].pixel_digest != rows[pair.second].pixel_digest)
    return [_by_worth(rows, pair) for pair in apart]


def _by_worth(rows: Sequence[Looked], pair: Twins) -> tuple[Looked, Looked, float]:
    first, second = sorted((rows[pair.first], rows[pair.second]), key=lambda row: (WORTH[row.split], row.name))
    return first, second, pair.alike


def without_twins(
    rows: Sequence[Looked], twins: Sequence[tuple[Looked, Looked, float]]
) -> tuple[list[Looked], list[Finding]]:
    """Rows of which none but a test row has a near duplicate that is more worthy; one finding for each that goes."""
    findings: list[Finding] = []
    gone: set[str] = set()
    for first, second, alike in sorted(twins, key=lambda pair: (WORTH[pair[1].split], pair[1].name, -pair[2])):
        if second.split == "test" or second.name in gone or first.name in gone:
            continue
        gone.add(second.name)
        where = "" if first.split is None else f" in {first.split}"
        message = f'a near duplicate of {first.name}{where} ({alike:.3f} alike), as near_duplicates = "skip" asks'
        findings.append(Finding(KIND, second.name, message, "skipped", first.name))
    return [row for row in rows if row.name not in gone], findings


def told(
    twins: Iterable[tuple[Looked, Looked, float]], split_of: Mapping[str, Split]
) -> tuple[list[Finding], dict[str, str]]:
    """A finding for the closest twin of every row in every split, and the counts as one fact for the card.

    ``split_of`` holds the rows that stay, by name.
    """
    pairs = []
    for one, other, alike in twins:
        if one.name in split_of and other.name in split_of:
            first, second = sorted((one.name, other.name), key=lambda name: (WORTH[split_of[name]], name))
            pairs.append((first, second, alike))
    closest: dict[tuple[str, Split], tuple[str, str, float]] = {}
    for pair in sorted(pairs, key=lambda pair: pair[2]):
        closest[pair[0], split_of[pair[1]]] = closest[pair[1], split_of[pair[0]]] = pair
    findings = [_finding(*pair, split_of) for pair in sorted(set(closest.values()))]
    return findings, {"near_duplicates": summary(pairs, split_of)}


def _finding(first: str, second: str, alike: float, split_of: Mapping[str, Split]) -> Finding:
    here, there = split_of[second], split_of[first]
    if here == there:
        message = f"nearly the same picture as {first} in {there} ({alike:.3f} alike); both count"
    else:
        message = (
            f"nearly the same picture is in {there} ({alike:.3f} alike), so that {there} may look better than it is"
        )
    return Finding(KIND, second, message, "kept", first)


def summary(pairs: Sequence[tuple[str, str, float]], split_of: Mapping[str, Split]) -> str:
    """One sentence: how many pairs, and how many rows of val and test have a near duplicate in train."""
    if not pairs:
        return "none found"
    leaks = {split: _leaked(pairs, split_of, split) for split in SPLITS[1:]}
    counts = {split: sum(found == split for found in split_of.values()) for split in SPLITS}
    parts = ", ".join(f"{leaks[split]} of {counts[split]} {split} pictures" for split in reversed(SPLITS[1:]))
    return f"{len(pairs)} pair{'' if len(pairs) == 1 else 's'}; with a near duplicate in train: {parts}"


def _leaked(pairs: Iterable[tuple[str, str, float]], split_of: Mapping[str, Split], split: Split) -> int:
    """How many rows of ``split`` have a near duplicate in train."""
    both_ways = [named for first, second, _ in pairs for named in ((first, second), (second, first))]
    return len({name for name, twin in both_ways if split_of[name] == split and split_of[twin] == "train"})
