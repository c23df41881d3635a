"""Stored inputs as sealed files: ``CUSTOMER/DAY/PREDICTION.mmv``, all of them together within a number of bytes.

One lock file orders those who write and those who delete, in whatever process. Whoever keeps inputs asks for consent
while holding it; whoever withdraws consent or erases writes that down first and deletes afterwards. So nothing is
stored after it was forbidden.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modelmint.kit.files import write_atomic
from modelmint.monitoring.inputs.errors import InputUnreadable, NoSuchInput
from modelmint.monitoring.inputs.types import Input, Kept
from modelmint.monitoring.inputs.vault import OVERHEAD, Vault

_SUFFIX = ".mmv"
_LOCK, _SIZE = ".lock", ".bytes"


class InputFolder:
    """``.modelmint/inputs`` and the keys in ``.modelmint/keys/inputs``."""

    def __init__(self, workspace: Path) -> None:
        self.path, self.vault = workspace / "inputs", Vault(workspace / "keys" / "inputs")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else stores or deletes meanwhile."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def put(self, one: Input, day: datetime, most_bytes: int) -> bool:
        """Store it; False where there is no room. Call it ``locked``."""
        meta = {"model": one.model, "release": one.release}
        head = json.dumps(meta, separators=(",", ":")).encode()
        plain = len(head).to_bytes(4, "big") + head + one.content
        total = self.total_bytes() + len(plain) + OVERHEAD
        if total > most_bytes:
            return False
        # Counted first: a crash in between leaves a count too large, which the next purge puts right. Nothing is
        # synced: losing an input in a crash costs less than making the books wait for the disk.
        write_atomic(self.path / _SIZE, str(total), mode=0o600, durable=False)
        path = self.path / one.customer / f"{day:%Y-%m-%d}" / (one.prediction + _SUFFIX)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomic(path, self.vault.seal(plain, _belongs(one.customer, one.prediction)), mode=0o600, durable=False)
        return True

    def total_bytes(self) -> int:
        """On disk, as counted."""
        try:
            return int((self.path / _SIZE).read_text())
        except (FileNotFoundError, ValueError):
            return sum(kept.size for kept in self.all())

    def all(self, customer: str | None = None) -> Iterator[Kept]:
        """Every stored input, by customer and day."""
        for path in sorted(self.path.glob(f"{customer or '*'}/*/*{_SUFFIX}")):
            day = _day(path.parent.name)
            if day is not None:
                yield Kept(path.name.removesuffix(_SUFFIX), path.parent.parent.name, day, path.stat().st_size)

    def get(self, kept: Kept) -> Input:
        """What was sent; raises ``NoSuchInput``, ``InputUnreadable``."""
        path = self.path / kept.customer / f"{kept.day:%Y-%m-%d}" / (kept.prediction + _SUFFIX)
        try:
            sealed = path.read_bytes()
        except FileNotFoundError as error:
            raise NoSuchInput(f"no input of {kept.prediction} is stored any more") from error
        plain = self.vault.open(sealed, _belongs(kept.customer, kept.prediction))
        length = int.from_bytes(plain[:4], "big")
        try:
            meta = json.loads(plain[4 : 4 + length])
            return Input(kept.prediction, kept.customer, meta["model"], meta["release"], plain[4 + length :])
        except (ValueError, KeyError) as error:
            raise InputUnreadable(f"the stored input of {kept.prediction} has no readable head") from error

    def forget(self, customer: str) -> int:
        """Delete all of a customer's; how many."""
        if not self.path.is_dir():
            return 0
        with self.locked():
            gone = sum(1 for _ in self.all(customer))
            shutil.rmtree(self.path / customer, ignore_errors=True)
            self._recount()
        return gone

    def sweep(self, now: datetime, keep_days: int, consenting: Collection[str]) -> int:
        """Delete what is older than ``keep_days``, and all of who does not consent; how many. Call it ``locked``."""
        last = now - timedelta(days=keep_days)
        gone = 0
        for folder in [path for path in self.path.iterdir() if path.is_dir()]:
            for inside in [path for path in folder.iterdir() if path.is_dir()]:
                day = _day(inside.name)
                # The whole day must be over for as long.
                if folder.name not in consenting or day is None or day + timedelta(days=1) <= last:
                    gone += sum(1 for _ in inside.glob(f"*{_SUFFIX}"))
                    shutil.rmtree(inside, ignore_errors=True)
            if not any(folder.iterdir()):
                folder.rmdir()
        self._recount()
        return gone

    def _recount(self) -> None:
        write_atomic(self.path / _SIZE, str(sum(kept.size for kept in self.all())), mode=0o600, durable=False)


def _belongs(customer: str, prediction: str) -> str:
    return f"{customer}/{prediction}"


def _day(name: str) -> datetime | None:
    try:
        return datetime.strptime(name, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
