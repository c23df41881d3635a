"""Encoded pictures in memory, or in a mapped file where memory would not hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from modelmint.inference.encoded import encode_with
from modelmint.kit.arrays import AnyArray, IntArray
from modelmint.kit.machine import this_machine
from modelmint.kit.progress import Progress

#: Payloads encoded between two advances of the bar.
_BLOCK = 512
#: Share of the machine's memory that one split's encoded pictures may take.
_MEMORY_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Rows:
    """Inputs and targets of one split: float32 ``[n, ...]`` and int64 ``[n]``."""

    inputs: torch.Tensor
    targets: torch.Tensor

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True, slots=True)
class Data:
    """What a training learns from and what it is validated on. Test rows never come here."""

    train: Rows
    val: Rows


def encode_rows(
    task: str,
    settings: Mapping[str, Any],
    payloads: Sequence[bytes],
    targets: IntArray,
    spill: Path,
    progress: Progress,
    title: str,
) -> Rows:
    """Encode every payload once with the task's own encode; ``spill`` is the file used when memory is short."""
    inputs: AnyArray | None = None
    with progress.bar(title, len(payloads)) as bar:
        for start in range(0, len(payloads), _BLOCK):
            block = encode_with(task, settings, payloads[start : start + _BLOCK])
            if inputs is None:
                inputs = _room((len(payloads), *block.shape[1:]), spill)
            inputs[start : start + len(block)] = block
            bar.advance(len(block))
    found = np.empty((0,), dtype=np.float32) if inputs is None else inputs
    return Rows(torch.from_numpy(found), torch.from_numpy(np.ascontiguousarray(targets, dtype=np.int64)))


def _room(shape: tuple[int, ...], spill: Path) -> AnyArray:
    memory = this_machine().memory_gib * 2**30
    size = int(np.prod(shape)) * 4
    if memory and size > _MEMORY_SHARE * memory:
        spill.parent.mkdir(parents=True, exist_ok=True)
        return np.memmap(spill, dtype=np.float32, mode="w+", shape=shape)
    return np.empty(shape, dtype=np.float32)
