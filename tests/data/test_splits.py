"""The same rows give the same splits."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from modelmint.data.splits import Member, cut
from modelmint.data.types import Split

SHARES: dict[Split, float] = {"val": 0.15, "test": 0.15}


def members(counts: dict[str, int], group_size: int = 0) -> list[Member]:
    return [
        Member(f"{label}/{place}.png", label, f"{label}-{place // group_size}" if group_size else None)
        for label, count in counts.items()
        for place in range(count)
    ]


def by_class(rows: list[Member], found: dict[str, Split]) -> dict[tuple[str, Split], int]:
    return dict(Counter((row.label, found[row.name]) for row in rows))


def test_every_class_is_cut_in_the_same_shares() -> None:
    rows = members({"a": 100, "b": 400})
    found = cut(rows, SHARES, seed=0)
    assert by_class(rows, found) == {
        ("a", "train"): 70,
        ("a", "val"): 15,
        ("a", "test"): 15,
        ("b", "train"): 280,
        ("b", "val"): 60,
        ("b", "test"): 60,
    }


@pytest.mark.parametrize("group_size", [0, 4])
def test_the_order_of_rows_changes_nothing_and_the_seed_does(group_size: int) -> None:
    rows = members({"a": 60, "b": 90}, group_size)
    shuffled = random.Random(1).sample(rows, len(rows))
    assert cut(rows, SHARES, 0) == cut(shuffled, SHARES, 0)
    assert cut(rows, SHARES, 0) != cut(rows, SHARES, 1)


def test_one_more_row_moves_few_others() -> None:
    rows = members({"a": 200})
    before, after = cut(rows, SHARES, 0), cut([*rows, Member("new.png", "a", None)], SHARES, 0)
    assert sum(before[name] != after[name] for name in before) <= 2


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (1, {"train": 1}),
        (2, {"train": 1, "val": 1}),
        (3, {"train": 1, "val": 1, "test": 1}),
        (7, {"train": 5, "val": 1, "test": 1}),
    ],
)
def test_small_classes_train_first(count: int, expected: dict[str, int]) -> None:
    assert Counter(cut(members({"a": count}), SHARES, 0).values()) == expected


def test_a_group_never_spans_two_splits_and_shares_stay_near() -> None:
    rows = [
        Member(f"{patient}/{place}.png", "ab"[patient % 2], f"p{patient}")
        for patient in range(120)
        for place in range(random.Random(patient).randint(1, 12))
    ]
    found = cut(rows, SHARES, 0)
    splits_of = {row.group: {found[other.name] for other in rows if other.group == row.group} for row in rows}
    assert all(len(splits) == 1 for splits in splits_of.values())
    counts = by_class(rows, found)
    for label in "ab":
        total = sum(row.label == label for row in rows)
        assert counts[label, "val"] / total == pytest.approx(0.15, abs=0.03)
        assert counts[label, "test"] / total == pytest.approx(0.15, abs=0.03)


def test_three_groups_fill_three_splits() -> None:
    rows = [Member(f"{group}/{place}", "ab"[place % 2], group) for group in "xyz" for place in range(10)]
    assert set(cut(rows, SHARES, 0).values()) == {"train", "val", "test"}


def test_only_missing_splits_are_cut() -> None:
    found = cut(members({"a": 100}), {"val": 0.1}, 0)
    assert Counter(found.values()) == {"train": 90, "val": 10}
