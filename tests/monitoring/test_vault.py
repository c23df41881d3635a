"""Sealing: what is changed, moved or sealed with a lost key does not open."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from modelmint.monitoring.inputs.errors import InputUnreadable
from modelmint.monitoring.inputs.vault import OVERHEAD, Vault


def test_what_is_sealed_opens_for_what_it_belongs_to_and_for_nothing_else(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "keys")
    sealed = vault.seal(b"a scan", "cus_a/prd_1")
    assert b"scan" not in sealed and len(sealed) == len(b"a scan") + OVERHEAD
    assert Vault(tmp_path / "keys").open(sealed, "cus_a/prd_1") == b"a scan"
    for broken, owner in ((sealed, "cus_b/prd_1"), (sealed[:-1], "cus_a/prd_1"), (b"", "x"), (b"x" * 99, "x")):
        with pytest.raises(InputUnreadable):
            vault.open(broken, owner)
    for place in range(12, len(sealed)):  # nonce, ciphertext and tag
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(InputUnreadable):
            vault.open(bytes(changed), "cus_a/prd_1")


def test_the_same_text_sealed_twice_shows_no_likeness(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    assert vault.seal(b"same", "x")[12:] != vault.seal(b"same", "x")[12:]


def test_a_new_key_seals_and_older_ones_still_open(tmp_path: Path) -> None:
    vault = Vault(tmp_path)
    first = vault.seal(b"one", "x")
    name = vault.rotate()
    second = vault.seal(b"two", "x")
    assert second[4:12].hex() == name != first[4:12].hex()
    assert (vault.open(first, "x"), vault.open(second, "x")) == (b"one", b"two")
    assert vault.ids()[-1] == name
    files = sorted(tmp_path.iterdir())
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]
    files[0].unlink()
    with pytest.raises(InputUnreadable, match="is not in"):
        Vault(tmp_path).open(first, "x")
