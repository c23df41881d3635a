"""The ``torch`` engine: a train folder behind the same protocol as every exported graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from modelmint.inference.engines.registry import ENGINES
from modelmint.kit.arrays import AnyArray
from modelmint.workshop.training.load import load_run

NAME = "torch"


class TorchEngine:
    """Runs a trained network in float32 on the CPU."""

    name = NAME

    def __init__(self, graph: Path, threads: int) -> None:
        """``graph`` is a train folder or the ``model.safetensors`` in it."""
        network, _ = load_run(graph if graph.is_dir() else graph.parent)
        self._network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch types no overload for it
        self._threads = threads

    def run(self, batch: AnyArray) -> AnyArray:
        if torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)
        pixels = torch.from_numpy(np.ascontiguousarray(batch, dtype=np.float32))
        with torch.inference_mode():
            logits = self._network(pixels.contiguous(memory_format=torch.channels_last))
        found: AnyArray = logits.numpy()
        return found

    def cam(self, batch: AnyArray) -> AnyArray | None:
        return None  # only exported graphs are explained

    def close(self) -> None:
        self._network = None


def open_torch(graph: Path, threads: int) -> TorchEngine:
    """Open a train folder; raises ``DamagedWeights``."""
    return TorchEngine(graph, threads)


def register_torch_engine() -> None:
    """Make ``torch`` one of the engines; may be called more than once."""
    ENGINES.register(NAME, open_torch)
