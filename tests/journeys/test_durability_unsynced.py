"""A power cut, not only a kill: the books are opened from what was synced to disk and nothing else."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller

#: Power cuts; ``make bench-crash`` asks for more.
ROUNDS = int(os.environ.get("MODELMINT_CRASH_ROUNDS", "10")) // 2
HERE = Path(__file__).parent
CALLER = HERE.parent / "contracts" / "caller_process.py"


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory, missing: Callable[[str], NoReturn]) -> Path:
    """The disk that forgets, compiled."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        missing("needs a C compiler and LD_PRELOAD on Linux")
    library = tmp_path_factory.mktemp("shim") / "unsynced.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "unsynced.c", "-ldl"], check=True)
    return library


class Disk:
    """A folder for the books and the durable image of it."""

    def __init__(self, folder: Path, shim: Path) -> None:
        self.live, self.image = folder / "live", folder / "image"
        self.live.mkdir()
        self.image.mkdir()
        self._shim = shim

    @property
    def url(self) -> str:
        return f"sqlite:///{self.live}/books.sqlite"

    def furnish(self) -> Caller:
        """Books with a caller, durable before the tests begin."""
        books = open_books(self.url)
        caller = a_caller(books)
        books.close()
        for file in self.live.glob("books.sqlite*"):
            shutil.copy(file, self.image / file.name)
        return caller

    def run_until_power_cut(self, caller: Caller, seconds: float, *, never_syncs: bool = False) -> list[str]:
        """Two processes of callers, cut off together; the settlements they had acknowledged, one each at least.

        The cut comes ``seconds`` after both were told of their first.
        """
        variables = {
            **os.environ,
            "LD_PRELOAD": str(self._shim),
            "MODELMINT_DISK": str(self.live),
            "MODELMINT_IMAGE": str(self.image),
            **({"CALLER_NEVER_SYNCS": "1"} if never_syncs else {}),
        }
        command = [sys.executable, str(CALLER), self.url, caller.digest, "3"]
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, env=variables) for _ in range(2)
        ]
        first = []
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            first.append(process.stdout.readline())
        time.sleep(seconds)
        for process in processes:
            os.killpg(process.pid, signal.SIGKILL)
        acknowledged = []
        for process, line in zip(processes, first, strict=True):
            text = (line + process.communicate()[0]).decode()
            lines = text[: text.rfind("\n") + 1].splitlines()
            assert all(line.startswith("settled ") for line in lines)
            acknowledged += [line.split()[1] for line in lines]
        return acknowledged

    def restart(self) -> None:
        """The machine comes back: what the disk had not been told to keep is gone."""
        for file in self.live.glob("books.sqlite*"):
            file.unlink()
        for file in self.image.glob("*.fresh"):
            file.unlink()
        for file in self.image.iterdir():
            shutil.copy(file, self.live / file.name)

    def billed(self) -> list[str]:
        books = open_books(self.url)
        books.release_stale()
        rows = [row.id for row in books.outcomes() if row.billable]
        books.close()
        return rows


def test_every_acknowledged_settlement_survives_power_cuts(tmp_path: Path, shim: Path) -> None:
    disk = Disk(tmp_path, shim)
    caller = disk.furnish()
    chance = random.Random(11)
    acknowledged: list[str] = []
    for _ in range(ROUNDS):
        acknowledged += disk.run_until_power_cut(caller, chance.uniform(0.1, 0.5))
        disk.restart()
        billed = disk.billed()
        assert set(acknowledged) <= set(billed)
        assert len(billed) == len(set(billed))
        for file in disk.live.glob("books.sqlite*"):  # what the restart itself wrote is synced by its close
            shutil.copy(file, disk.image / file.name)
        for file in disk.image.glob("books.sqlite*"):
            if not (disk.live / file.name).exists():
                file.unlink()
    assert len(acknowledged) >= 2 * ROUNDS


def test_the_power_cut_is_real_and_books_that_never_sync_lose_acknowledged_settlements(
    tmp_path: Path, shim: Path
) -> None:
    disk = Disk(tmp_path, shim)
    caller = disk.furnish()
    acknowledged = disk.run_until_power_cut(caller, 0.5, never_syncs=True)
    disk.restart()
    assert len(set(acknowledged) - set(disk.billed())) > 0
