"""Digests name content; writing is all or nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmint.kit.canonical import canonical_json, plain
from modelmint.kit.digest import digest_bytes, digest_package, digest_value
from modelmint.kit.files import atomic_folder, write_atomic
from modelmint.kit.ids import new_id, new_secret
from modelmint.kit.registry import Registry, UnknownVariant

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values, max_size=5))
def test_the_order_of_keys_does_not_change_a_digest(value: dict[str, object]) -> None:
    turned = dict(reversed(list(value.items())))
    assert digest_value(turned) == digest_value(value)
    assert json.loads(canonical_json(value)) == value


def test_decimals_dates_and_paths_have_one_spelling() -> None:
    assert plain(Decimal("1E+2")) == "100"
    assert plain(datetime(2026, 11, 22, tzinfo=UTC)) == "2026-11-22T00:00:00Z"
    assert plain(Path("a") / "b") == "a/b"
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))


def test_sha256_is_the_standard_one() -> None:
    assert digest_bytes(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_digest_over_files_changes_with_a_name_and_with_a_byte(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    package = digest_package(tmp_path)
    (tmp_path / "a.py").write_text("x = 2\n")
    assert digest_package(tmp_path) != package
    (tmp_path / "a.py").write_text("x = 1\n")
    assert digest_package(tmp_path) == package
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert digest_package(tmp_path) != package


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "f.txt"
    write_atomic(target, "old")
    with pytest.raises(TypeError):
        write_atomic(target, 7)  # type: ignore[arg-type]  # wrong on purpose
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["f.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), atomic_folder(tmp_path / "out") as folder:
        (folder / "half").write_text("half")
        raise RuntimeError("power gone")
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(tmp_path / "out") as folder:
        (folder / "whole").write_text("whole")
    assert (tmp_path / "out" / "whole").read_text() == "whole"


def test_ids_sort_by_time_and_secrets_do_not_repeat() -> None:
    ids = [new_id("out") for _ in range(200)]
    assert len(set(ids)) == 200
    assert all(i.startswith("out_") and len(i) == 28 for i in ids)
    assert len({new_secret("mm") for _ in range(100)}) == 100


def test_an_unknown_variant_names_the_nearest_one() -> None:
    registry = Registry("reader", {"folder": 1, "npz": 2})
    assert registry.get("npz") == 2
    with pytest.raises(UnknownVariant, match="did you mean 'folder'"):
        registry.get("foldr")
