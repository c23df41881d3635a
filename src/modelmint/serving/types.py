"""The nouns of serving."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelmint.inference.explain.types import Explanation
from modelmint.kit.arrays import AnyArray
from modelmint.tasks.types import Prediction


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host says for one call: answers in the order of the payloads."""

    predictions: tuple[Prediction, ...]
    labels: tuple[str, ...]
    release: str
    variant: str
    #: Engine and encode time spent on this call, its share of a batch, milliseconds of CPU.
    compute_ms: float
    use: str
    #: Size of the payloads as they were sent.
    pixels: int = 0
    characters: int = 0
    tokens: int = 0
    #: Nothing else ran with it or waited behind it: what follows may take the runner's own time.
    alone: bool = False
    #: One per prediction where the call asked for them.
    explanations: tuple[Explanation, ...] | None = None
    #: Raw float32 logits ``[n, labels]`` where the call asked for them.
    outputs: AnyArray | None = None

    @property
    def state(self) -> str:
        """What a charge can name: "abstained" where every prediction did, else "ok"."""
        return "abstained" if all(prediction.abstained for prediction in self.predictions) else "ok"


@dataclass(frozen=True, slots=True)
class Target:
    """What a public model name points at."""

    name: str
    release: str
    model: str
    variant: str | None


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Bounds of one process: items per engine run, calls that may wait, items of one call."""

    max_batch: int = 32
    max_queue: int = 256
    max_items: int = 64


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine that runs a graph and its compute threads."""

    engine: str
    threads: int


@dataclass(frozen=True, slots=True)
class HostFigures:
    """What a host has done since it started; engine time is CPU seconds, ``waiting`` is now."""

    waiting: int
    batches: int
    items: int
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class LoadTestRequest:
    """A candidate to be load-tested through the real server: a bundle, how to run it, what to send."""

    release: Path
    engine: str
    threads: int
    payloads: tuple[bytes, ...]
    p99_limit_ms: float | None


@dataclass(frozen=True, slots=True)
class LoadPoint:
    """One level of a load test through the real server: ``clients`` callers in a closed loop."""

    clients: int
    calls: int
    calls_per_second: float
    p50_ms: float
    p99_ms: float
    #: CPU of the server's processes per call, parse, key check and metering included.
    server_cpu_ms: float
    errors: int


@dataclass(frozen=True, slots=True)
class LoadResult:
    """A load test: ``best`` is the fastest level whose p99 is within ``p99_limit_ms``, None where none is."""

    points: tuple[LoadPoint, ...]
    best: LoadPoint | None
    p99_limit_ms: float | None
    workers: int
    engine: str
    threads: int
    #: CPU of the load generator, which shared the machine, per call.
    client_cpu_ms: float
    #: Foreign load during the test, cores.
    load: float
    seconds: float
