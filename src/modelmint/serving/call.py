"""One caller's inputs on their way through a lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future

from modelmint.kit.arrays import AnyArray
from modelmint.serving.types import Answer
from modelmint.tasks.types import Counted


class Call:
    """One caller's payloads, or inputs that he encoded himself, answered together or not at all."""

    __slots__ = (
        "counted",
        "cpu",
        "explain",
        "future",
        "inputs",
        "keep_outputs",
        "payloads",
        "size",
        "tensor",
        "wanted",
        "without_picture",
    )

    def __init__(
        self,
        payloads: Sequence[bytes],
        wanted: Callable[[], bool] | None,
        *,
        tensor: AnyArray | None = None,
        explain: bool = False,
        keep_outputs: bool = False,
        without_picture: bool = False,
    ) -> None:
        self.payloads = payloads
        self.wanted = wanted
        self.tensor = tensor
        self.explain = explain
        self.keep_outputs = keep_outputs
        self.without_picture = without_picture
        self.size = len(payloads) if tensor is None else rows_of(tensor)
        self.future: Future[Answer] = Future()
        self.inputs: AnyArray | None = None
        self.counted = Counted()
        self.cpu = 0.0

    def fail(self, error: Exception) -> None:
        """Resolve with an error."""
        self.future.set_exception(error)


def rows_of(tensor: AnyArray) -> int:
    """How many inputs a tensor of unchecked shape stands for."""
    return len(tensor) if tensor.ndim else 1
