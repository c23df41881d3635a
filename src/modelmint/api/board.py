"""Figures of all server processes in one small shared file: each process writes its own row, any one reads all.

A scrape of ``/metrics`` reaches one process by chance; the board lets it speak for every one of them.
Numbers are 8-byte floats at aligned places, so that a reader never sees half of one.
"""

from __future__ import annotations

import bisect
import mmap
import os
from dataclasses import dataclass
from pathlib import Path

#: Upper bounds of the latency histogram, seconds.
BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)
_NAMED = (
    "pid", "ready", "starts", "connections", "in_flight", "seconds",
    "class_2xx", "class_3xx", "class_4xx", "class_5xx",
    "waiting", "batches", "items", "engine_cpu_seconds", "stale_deployments",
)  # fmt: skip
_AT = {name: index for index, name in enumerate(_NAMED)}
_FIRST_BUCKET = len(_NAMED)
_WIDTH = _FIRST_BUCKET + len(BUCKETS) + 1
_BYTES = 8
_IN_FLIGHT, _SECONDS, _CLASSES = _AT["in_flight"], _AT["seconds"], _AT["class_2xx"]


@dataclass(frozen=True, slots=True)
class Row:
    """One process's figures; ``buckets`` counts calls per latency bucket, the last one above all bounds."""

    worker: int
    values: dict[str, float]
    buckets: tuple[int, ...]


class Slot:
    """One process's own row."""

    def __init__(self, cells: memoryview[float], worker: int) -> None:
        self.worker = worker
        self._cells = cells[worker * _WIDTH : (worker + 1) * _WIDTH]

    def set(self, name: str, value: float) -> None:
        """Write one named figure."""
        self._cells[_AT[name]] = value

    def get(self, name: str) -> float:
        """Read one named figure."""
        return float(self._cells[_AT[name]])

    def begin(self) -> None:
        """A call came in."""
        self._cells[_IN_FLIGHT] += 1

    def end(self, status: int, seconds: float) -> None:
        """It was answered (or given up) with ``status`` after ``seconds``."""
        cells = self._cells
        cells[_IN_FLIGHT] -= 1
        cells[_SECONDS] += seconds
        cells[_CLASSES + min(max(status // 100, 2), 5) - 2] += 1
        cells[_FIRST_BUCKET + bisect.bisect_left(BUCKETS, seconds)] += 1

    def started(self) -> None:
        """A new process took the row: what belonged to the former one is void, its counters go on."""
        for name in ("ready", "connections", "in_flight", "waiting"):
            self.set(name, 0)
        self.set("pid", os.getpid())
        self.set("starts", self.get("starts") + 1)


class Board:
    """All rows. The parent creates it, the workers open it."""

    def __init__(self, path: Path, workers: int, *, create: bool = False) -> None:
        self.path, self.workers = path, workers
        size = workers * _WIDTH * _BYTES
        if create:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"\0" * size)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), size)
        self._cells: memoryview[float] = memoryview(self._map).cast("d")

    def slot(self, worker: int) -> Slot:
        """The row of one process."""
        return Slot(self._cells, worker)

    def rows(self) -> list[Row]:
        """All rows as they are now."""
        found = []
        for worker in range(self.workers):
            cells = self._cells[worker * _WIDTH : (worker + 1) * _WIDTH].tolist()
            values = {name: float(cell) for name, cell in zip(_NAMED, cells, strict=False)}
            found.append(Row(worker, values, tuple(int(count) for count in cells[_FIRST_BUCKET:])))
        return found
