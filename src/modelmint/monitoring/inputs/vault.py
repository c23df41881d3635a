"""Sealing with AES-256-GCM. Keys lie in files of their own, so that blobs and keys can be backed up apart.

A sealed text is ``MMV1 | key id (8 bytes) | nonce (12 bytes) | ciphertext and tag``. The newest key seals, any key that
is still there opens. What a text belongs to (customer, prediction) is authenticated with it, so that no blob can be
passed off as another's. Nonces are random: 96 bits allow 2^32 texts under one key (NIST SP 800-38D, 8.3).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from modelmint.kit.files import write_atomic
from modelmint.monitoring.inputs.errors import InputUnreadable

_MAGIC = b"MMV1"
_ID, _NONCE = 8, 12
_HEAD = len(_MAGIC) + _ID + _NONCE
#: Bytes that sealing adds.
OVERHEAD = _HEAD + 16


class Vault:
    """The keys of one workspace, in ``folder``; one file for each, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[str, AESGCM] = {}

    def seal(self, content: bytes, belongs_to: str) -> bytes:
        """``content`` so that nobody reads or changes it without the key."""
        name = self._newest() or self.rotate()
        nonce = os.urandom(_NONCE)
        return b"".join(
            (_MAGIC, bytes.fromhex(name), nonce, self._key(name).encrypt(nonce, content, belongs_to.encode()))
        )

    def open(self, sealed: bytes, belongs_to: str) -> bytes:
        """What was sealed; raises ``InputUnreadable``."""
        if len(sealed) < OVERHEAD or sealed[: len(_MAGIC)] != _MAGIC:
            raise InputUnreadable("expected a sealed input, found something else, or a part of one")
        name = sealed[len(_MAGIC) : len(_MAGIC) + _ID].hex()
        try:
            return self._key(name).decrypt(sealed[_HEAD - _NONCE : _HEAD], sealed[_HEAD:], belongs_to.encode())
        except InvalidTag as error:
            raise InputUnreadable("a stored input is not what was sealed, or belongs to another prediction") from error

    def rotate(self) -> str:
        """Make a new key, which seals from now on; its id. Older ones go on opening what they sealed."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = max((int(path.stem.split("-")[0]) for path in self._files()), default=0) + 1
        name = secrets.token_hex(_ID)
        write_atomic(self._folder / f"{number:06}-{name}.key", secrets.token_hex(32) + "\n", mode=0o600)
        return name

    def ids(self) -> list[str]:
        """Of all keys that are here, the oldest first."""
        return [path.stem.split("-")[1] for path in self._files()]

    def _newest(self) -> str | None:
        return next(reversed(self.ids()), None)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*-*.key"))

    def _key(self, name: str) -> AESGCM:
        if name not in self._keys:
            path = next((path for path in self._files() if path.stem.endswith(f"-{name}")), None)
            if path is None:
                raise InputUnreadable(f"the key {name} that sealed this input is not in {self._folder.name}/ any more")
            self._keys[name] = AESGCM(bytes.fromhex(path.read_text().strip()))
        return self._keys[name]
