"""What can go wrong between a graph and its outputs."""

from __future__ import annotations

from modelmint.kit.errors import Corrupted, InvalidInput, Unavailable


class EngineUnavailable(Unavailable):
    """The engine's library is not installed, or does not work on this machine."""

    code = "engine_unavailable"


class GraphRefused(Corrupted):
    """The engine cannot open a graph file: missing, damaged, or with an operator it does not know."""

    code = "graph_refused"


class RunFailed(Corrupted):
    """The engine opened the graph and could not run it."""

    code = "run_failed"


class BatchRefused(InvalidInput):
    """A batch whose shape or type the graph does not take."""

    code = "batch_refused"


class NothingToTime(InvalidInput):
    """A timing without anything to time, or with impossible numbers."""

    code = "nothing_to_time"
