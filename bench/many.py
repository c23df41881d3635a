"""What the search for near duplicates costs: synthetic pictures, all different, 10,000 and 50,000 of them.

*Waves*: random pictures whose frequencies fall off as those of photographs do. *X-rays*: drawn from the normal
distribution with the mean and the covariance of PneumoniaMNIST, so that all look alike, which is the hard case. Each
search in a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.harness import Bench, table
from modelmint.data.near import near_twins
from modelmint.data.perceptual import pixels_of, thumbnail
from modelmint.kit.arrays import AnyArray
from modelmint.kit.progress import Silent

COUNTS = (10_000, 50_000)
_AT_ONCE = 2000


def run(bench: Bench, file: Path) -> None:
    """Measure and print; ``file`` is PneumoniaMNIST."""
    records = [
        bench.measure("data", f"many-{kind}-{count}", partial(_alone, kind, count, file))
        for count in COUNTS
        for kind in KINDS
    ]
    rows = [
        (
            f"{one['count']:,} {one['kind']}",
            *(f"{one[key]:,.1f}" for key in ("cpu", "wall")),
            *(f"{one[key]:,.0f}" for key in ("before_mb", "peak_mb")),
            str(one["found"]),
        )
        for one in records
    ]
    columns = ("different pictures", "CPU s", "wall s", "MB before", "peak MB", "pairs found")
    table("Near duplicates looked for among many", columns, rows, records)


def _alone(kind: str, count: int, file: Path, _folder: Path) -> dict[str, Any]:
    asked = [sys.executable, "-m", "bench.many", kind, str(count), str(file)]
    done = subprocess.run(asked, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def search(kind: str, count: int, file: Path) -> dict[str, Any]:
    """Draw the pictures, look for near duplicates among them."""
    pictures = KINDS[kind](count, np.random.default_rng(0), file)
    pixels = pixels_of([thumbnail(Image.fromarray(each)) for each in pictures])
    sides = np.full(count, pictures.shape[1])
    before, wall, cpu = _peak(), time.monotonic(), time.process_time()
    found = near_twins(pixels, sides, lambda place: Image.fromarray(pictures[place]), Silent())
    return {
        "kind": kind,
        "count": count,
        "found": len(found),
        "wall": round(time.monotonic() - wall, 2),
        "cpu": round(time.process_time() - cpu, 2),
        "before_mb": before,
        "peak_mb": _peak(),
    }


def _peak() -> float:
    """Megabytes that this process held at most so far."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / 1024 if sys.platform != "darwin" else held / 2**20


def _waves(count: int, rng: np.random.Generator, _file: Path) -> AnyArray:
    """``uint8[count, 32, 32]``: amplitude 1/f (Field 1987)."""
    turns = np.fft.fftfreq(32) * 32
    frequency = np.maximum(np.hypot(turns[:, None], turns[None, :]), 1)
    drawn = np.empty((count, 32, 32), dtype=np.uint8)
    for start in range(0, count, _AT_ONCE):
        noise = rng.standard_normal((len(drawn[start : start + _AT_ONCE]), 32, 32))
        waves = np.fft.ifft2(np.fft.fft2(noise) / frequency).real
        waves -= waves.mean(axis=(1, 2), keepdims=True)
        waves *= 50 / waves.std(axis=(1, 2), keepdims=True)
        drawn[start : start + _AT_ONCE] = np.clip(128 + waves, 0, 255)
    return drawn


def _xrays(count: int, rng: np.random.Generator, file: Path) -> AnyArray:
    """``uint8[count, 28, 28]``."""
    with np.load(file) as arrays:
        known = np.concatenate([arrays[f"{split}_images"] for split in ("train", "val", "test")])
    flat = known.reshape(len(known), -1).astype(np.float32)
    mean = flat.mean(axis=0)
    _, lengths, basis = np.linalg.svd(flat - mean, full_matrices=False)
    spread = lengths / np.sqrt(len(flat))
    drawn = np.empty((count, *known.shape[1:]), dtype=np.uint8)
    for start in range(0, count, _AT_ONCE):
        block = drawn[start : start + _AT_ONCE]
        noise = rng.standard_normal((len(block), len(spread))) * spread
        block[:] = np.clip(mean + noise @ basis, 0, 255).reshape(block.shape)
    return drawn


KINDS = {"waves": _waves, "X-rays": _xrays}


if __name__ == "__main__":
    print(json.dumps(search(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
