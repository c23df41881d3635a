"""A frozen dataset version: what was trained on, under one digest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from modelmint.data.errors import DamagedDataset, TestSplitGuarded
from modelmint.data.types import SPLITS, Finding, Row, Split
from modelmint.kit.arrays import IntArray
from modelmint.kit.digest import digest_bytes, digest_file, digest_value
from modelmint.kit.files import write_atomic

SCHEMA = 1
ABOUT, ROWS, PAYLOADS, FINDINGS = "dataset.json", "rows.jsonl", "payloads.bin", "findings.jsonl"
SHIFT = "shift.json"


def content_digest(about: dict[str, Any]) -> str:
    """The digest of a version: its labels, and its rows and payloads by their own digests. Neither where it was
    read from nor what was found wrong on the way belongs to it.
    """
    files = {name: about["files"][name] for name in (ROWS, PAYLOADS)}
    return digest_value({key: about[key] for key in ("schema", "labels", "positive", "channels")} | {"files": files})


@dataclass(frozen=True)
class DatasetVersion:
    """Labels, rows and payloads in three splits. Test rows are for the judge: see ``judge_test``."""

    folder: Path
    digest: str
    labels: tuple[str, ...]
    #: The label that counts as "found", of two.
    positive: str | None
    #: Split -> rows.
    counts: dict[str, int]
    #: What is known of the source, for cards.
    facts: dict[str, str]
    #: 1 where every training and validation picture is grey, else 3.
    channels: int
    #: Median width and height of training pictures, in pixels.
    sizes: tuple[int, int]

    @classmethod
    def open(cls, folder: Path) -> DatasetVersion:
        """The version in ``folder``; raises ``DamagedDataset`` where its description does not fit its files.

        The payloads are checked one by one as they are read, all of them by ``verify``.
        """
        try:
            about = json.loads((folder / ABOUT).read_bytes())
            version = cls(
                folder=folder,
                digest=about["digest"],
                labels=tuple(about["labels"]),
                positive=about["positive"],
                counts=about["counts"],
                facts=about["facts"],
                channels=about["channels"],
                sizes=(about["sizes"][0], about["sizes"][1]),
            )
            if content_digest(about) != version.digest or digest_file(folder / ROWS) != about["files"][ROWS]:
                raise DamagedDataset(f"the dataset version in {folder} was changed; delete the folder and build again")
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise DamagedDataset(f"expected a dataset version in {folder}, found: {error!r}") from error
        return version

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What was wrong with the data and what was done about it."""
        return tuple(Finding(**json.loads(line)) for line in _lines(self.folder / FINDINGS))

    @cached_property
    def files(self) -> dict[str, str]:
        """sha256 of the frozen files, by name."""
        found: dict[str, str] = json.loads((self.folder / ABOUT).read_bytes())["files"]
        return found

    @cached_property
    def shift(self) -> dict[str, Any]:
        """How the splits differ, as ``data.shift`` found it; {} where it was frozen before that was looked for."""
        file = self.folder / SHIFT
        found: dict[str, Any] = json.loads(file.read_bytes()) if file.exists() else {}
        return found

    @cached_property
    def _rows(self) -> tuple[Row, ...]:
        return tuple(Row(**json.loads(line)) for line in _lines(self.folder / ROWS))

    def rows(self, split: Split) -> tuple[Row, ...]:
        """The rows of a split, ordered by name."""
        return tuple(row for row in self._rows if row.split == split)

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """The rows of every split, ordered by name."""
        return self._rows

    @cached_property
    def evidence(self) -> frozenset[str]:
        """Names of the rows that a finding speaks of: their pictures may be looked at, test rows among them."""
        return frozenset(name for one in self.findings for name in (one.name, one.other) if name is not None)

    def picture(self, number: int) -> bytes | None:
        """The payload of one row, by its place in ``all_rows``, for a person to look at.

        None where there is no such row, and for a test row that no finding speaks of: those are the judge's.
        """
        if not 0 <= number < len(self._rows):
            return None
        row = self._rows[number]
        return self._read([row])[0] if row.split != "test" or row.name in self.evidence else None

    def payloads(self, split: Split) -> list[bytes]:
        """One encoded picture a row; raises ``TestSplitGuarded`` for test."""
        self._guard(split)
        return self._read(self.rows(split))

    def payloads_at(self, split: Split, places: Sequence[int]) -> list[bytes]:
        """The payloads of some rows, by their places in ``rows(split)``; raises ``TestSplitGuarded`` for test."""
        self._guard(split)
        rows = self.rows(split)
        return self._read([rows[place] for place in places])

    def targets(self, split: Split) -> IntArray:
        """Label numbers, ``int64[rows]``; raises ``TestSplitGuarded`` for test."""
        self._guard(split)
        return self._targets(split)

    def judge_test(self, reading: str, log: Path) -> tuple[list[bytes], IntArray, int]:
        """Payloads and targets of the test split, and how many distinct readings there have been with this one.

        ``reading`` names what is judged (the digest of a candidate); it is written to ``log`` and synced before
        anything is read, so that no reading goes uncounted.
        """
        known = _readings(log)
        if reading not in known:
            known[reading] = json.dumps({"dataset": self.digest, "reading": reading}).encode()
            # Written anew, not appended: behind a line that a crash cut short, a reading would go uncounted.
            write_atomic(log, b"".join(line + b"\n" for line in known.values()))
        return self._read(self.rows("test")), self._targets("test"), len(known)

    def verify(self) -> None:
        """Read everything again; raises ``DamagedDataset`` naming the first row that is not what it was."""
        for split in SPLITS:
            self._read(self.rows(split))

    def _guard(self, split: Split) -> None:
        if split == "test":
            raise TestSplitGuarded(
                "test rows are read by the judge only, and counted. Do: use judge_test, or the val split to decide"
            )

    def _targets(self, split: Split) -> IntArray:
        return np.array([row.label for row in self.rows(split)], dtype=np.int64)

    def _read(self, rows: Sequence[Row]) -> list[bytes]:
        payloads = []
        with (self.folder / PAYLOADS).open("rb") as file:
            for row in rows:
                file.seek(row.offset)
                payload = file.read(row.length)
                if digest_bytes(payload) != row.digest:
                    raise DamagedDataset(f"the picture {row.name} in {self.folder} was changed; build again")
                payloads.append(payload)
        return payloads


def find_frozen(workspace: Path, digest: str) -> DatasetVersion | None:
    """The frozen dataset version with this digest in a workspace; None where there is none (any more)."""
    for file in sorted((workspace / "steps" / "prepare").glob("*/dataset.json")):
        try:
            version = DatasetVersion.open(file.parent)
        except DamagedDataset:
            continue
        if version.digest == digest:
            return version
    return None


def licence_of(stated: str, dataset: DatasetVersion) -> str:
    """What the venture states; where it states none, what the source is known to have."""
    return dataset.facts.get("licence", stated) if stated == "not stated" else stated


def _lines(file: Path) -> list[bytes]:
    """The lines of a file of JSON values. Only a line feed ends one: names may hold U+2028 and its like."""
    return [line for line in file.read_bytes().split(b"\n") if line]


def _readings(log: Path) -> dict[str, bytes]:
    """Distinct readings in ``log`` with their lines, in order; a last line that a crash cut short counts as none."""
    found: dict[str, bytes] = {}
    lines = _lines(log) if log.exists() else []
    for place, line in enumerate(lines):
        try:
            found.setdefault(json.loads(line)["reading"], line)
        except (ValueError, KeyError, TypeError) as error:
            if place < len(lines) - 1:
                raise DamagedDataset(f"line {place + 1} of {log} is not a reading: {line[:60]!r}") from error
    return found
