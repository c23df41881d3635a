"""Cutting rows into train, val and test: the same rows give the same splits, in whatever order they come.

Rows are ranked by sha256 of the seed and their name, so that a new row moves few others. Each class is cut in the
same shares; a group goes as a whole to the split that lacks most of what the group holds.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

from modelmint.data.types import Split


class Member(NamedTuple):
    """What splitting needs to know of a row."""

    name: str
    label: str
    group: str | None


def cut(members: Sequence[Member], shares: Mapping[Split, float], seed: int) -> dict[str, Split]:
    """Name -> split. ``shares``: split -> share of all rows, in sum at most 1; what is left is training data.

    A class of ``n`` rows gives each split at least one where ``n`` allows it, training first.
    """
    groups: dict[Hashable, list[Member]] = defaultdict(list)
    for member in members:
        # A row without a group is a group of its own; the tuple keeps it apart from a real group of that name.
        groups[member.group if member.group is not None else ("row", member.name)].append(member)
    ranked = sorted(groups.values(), key=lambda rows: _rank(seed, min(row.name for row in rows)))
    if all(len(rows) == 1 for rows in ranked):
        return _cut_rows([rows[0] for rows in ranked], shares)
    return _cut_groups(ranked, shares)


def _rank(seed: int, name: str) -> str:
    return hashlib.sha256(f"{seed}\0{name}".encode("utf-8", "surrogateescape")).hexdigest()


def _quotas(count: int, shares: Mapping[Split, float]) -> dict[Split, int]:
    """How many of ``count`` rows of a class each split but training gets."""
    left = count - 1  # training has the first
    quotas: dict[Split, int] = {}
    for split, share in sorted(shares.items(), reverse=True):  # val before test, where there is one row only
        quotas[split] = min(left, max(1, round(count * share)))
        left -= quotas[split]
    return quotas


def _cut_rows(ranked: Sequence[Member], shares: Mapping[Split, float]) -> dict[str, Split]:
    by_label: dict[str, list[str]] = defaultdict(list)
    for member in ranked:
        by_label[member.label].append(member.name)
    found: dict[str, Split] = {}
    for names in by_label.values():
        start = 0
        for split, quota in _quotas(len(names), shares).items():
            found.update(dict.fromkeys(names[start : start + quota], split))
            start += quota
        found.update(dict.fromkeys(names[start:], "train"))
    return found


def _cut_groups(ranked: Sequence[list[Member]], shares: Mapping[Split, float]) -> dict[str, Split]:
    """Greedy: the largest group first, each to the split whose wanted rows it fills best."""
    totals = Counter(member.label for rows in ranked for member in rows)
    everything: dict[Split, float] = {"train": 1 - sum(shares.values()), **shares}
    lacking = {split: {label: share * totals[label] for label in totals} for split, share in everything.items()}
    found: dict[str, Split] = {}
    order = sorted(ranked, key=len, reverse=True)  # stable: ranks decide among groups of one size
    for place, rows in enumerate(order):
        holds = Counter(member.label for member in rows)
        empty = [split for split in everything if split not in found.values()] if place >= len(order) - 3 else []
        chosen = max(empty or everything, key=lambda split: _fit(lacking[split], holds, totals))
        for label, number in holds.items():
            lacking[chosen][label] -= number
        found.update(dict.fromkeys((member.name for member in rows), chosen))
    return found


def _fit(lacking: Mapping[str, float], holds: Mapping[str, int], totals: Mapping[str, int]) -> float:
    """How much closer (in shares of each class, squared) a split comes to what it should hold."""
    return sum((lacking[k] ** 2 - (lacking[k] - n) ** 2) / totals[k] for k, n in holds.items())
