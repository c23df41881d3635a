"""Laws of splitting, and of reading what strangers wrote."""

from __future__ import annotations

import contextlib
import io
import random
from collections import Counter, defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmint.data.errors import OutsideSource, SourceTooLarge, UnreadableSource
from modelmint.data.readers.lists import Lists
from modelmint.data.readers.npz import Npz
from modelmint.data.splits import Member, cut
from modelmint.data.types import Source, Split

LABELS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), min_size=1, max_size=80)
SHARES: st.SearchStrategy[dict[Split, float]] = st.fixed_dictionaries(
    {"val": st.floats(0.05, 0.4), "test": st.floats(0.05, 0.4)}
)


@settings(max_examples=150, deadline=None)
@given(LABELS, SHARES, st.integers(0, 5), st.booleans())
def test_every_row_has_one_split_whatever_the_order_and_groups_stay_whole(
    rows: list[tuple[str, int]], shares: dict[Split, float], seed: int, grouped: bool
) -> None:
    members = [Member(f"{place}", label, f"g{group}" if grouped else None) for place, (label, group) in enumerate(rows)]
    found = cut(members, shares, seed)
    assert set(found) == {member.name for member in members}
    assert found == cut(random.Random(seed).sample(members, len(members)), shares, seed)
    splits = defaultdict(set)
    for member in members:
        if member.group is not None:
            splits[member.group].add(found[member.name])
    assert all(len(of_group) == 1 for of_group in splits.values())


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from("abcd"), st.integers(1, 60), min_size=1), SHARES)
def test_every_class_trains_and_misses_its_share_by_one_row_at_most(
    counts: dict[str, int], shares: dict[Split, float]
) -> None:
    members = [Member(f"{label}{place}", label, None) for label, count in counts.items() for place in range(count)]
    found = cut(members, shares, 0)
    for label, count in counts.items():
        got = Counter(found[member.name] for member in members if member.label == label)
        assert got["train"] >= 1
        if count >= 5:
            assert all(abs(got[split] - count * share) <= 1 for split, share in shares.items())


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(st.sampled_from("a1 \t\n\"'#/\\.png\0é"), max_size=80)))
def test_any_list_file_gives_rows_or_is_refused(content: bytes | str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "list.txt"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        source = Source("list.txt", path.resolve())
        try:
            data = Lists().read(source)
        except UnreadableSource:
            return
        assert len({row.name for row in data.rows}) == len(data.rows)
        assert source.path in Lists().files(source)
        for row in data.rows:
            with contextlib.suppress(OSError, ValueError, OutsideSource):
                row.load()


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_npz_gives_rows_or_is_refused(data: st.DataObject) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, train_images=np.zeros((4, 3, 3), np.uint8), train_labels=np.array([0, 1, 0, 1]))
    content = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "set.npz"
        path.write_bytes(content)
        with contextlib.suppress(UnreadableSource, SourceTooLarge):
            for row in Npz().read(Source("set.npz", path)).rows:
                row.load()
