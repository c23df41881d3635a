"""The nouns of inference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from modelmint.kit.arrays import AnyArray
from modelmint.kit.estimate import Estimate


class Engine(Protocol):
    """Runs one graph. Safe to call from several threads."""

    name: str

    def run(self, batch: AnyArray) -> AnyArray:
        """A batch ``[n, ...]`` in, raw outputs ``[n, labels]`` out (float32 logits)."""
        ...

    def cam(self, batch: AnyArray) -> AnyArray | None:
        """Class-activation maps ``[n, labels, h, w]`` (float32) of a batch; None where the graph has none.

        The mean of a label's map is its logit less its bias. ``run`` never pays for them.
        """
        ...

    def close(self) -> None:
        """Give memory and threads back."""
        ...


class EngineFactory(Protocol):
    """Opens a graph file with so many compute threads."""

    def __call__(self, graph: Path, threads: int) -> Engine: ...


@dataclass(frozen=True, slots=True)
class Timing:
    """Batch-1 engine timing, encode and decode not included; milliseconds; medians with 95 % intervals.

    ``load`` is the foreign load: cores kept busy by other processes while it was measured (0 = quiet).
    """

    cpu_ms: Estimate
    p50_ms: Estimate
    p99_ms: Estimate
    threads: int
    load: float
    #: True where foreign load stayed above the limit after every repeat.
    disturbed: bool
