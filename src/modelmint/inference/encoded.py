"""Encoding many payloads with several threads; the result is the same as with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from modelmint.kit.arrays import AnyArray
from modelmint.kit.errors import ModelmintError
from modelmint.kit.machine import this_machine
from modelmint.tasks.errors import name_input
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import ModelSpec

#: Payloads one thread encodes at a time: long enough to hide the hand-over, short enough to share evenly.
_CHUNK = 32


def encode_all(spec: ModelSpec, payloads: Sequence[bytes], workers: int | None = None) -> AnyArray:
    """All payloads as one array ``[n, ...]`` by the task's ``encode``, in order.

    ``workers`` threads (default: one per usable core). Raises what the task raises for the first bad payload,
    counted over all of them.
    """
    return encode_with(spec.task, spec.settings, payloads, workers)


def encode_with(
    task: str, settings: Mapping[str, Any], payloads: Sequence[bytes], workers: int | None = None
) -> AnyArray:
    """As ``encode_all``, for settings that belong to no finished model yet."""
    encode = TASKS.get(task).encode
    count = len(payloads)
    threads = min(workers or this_machine().cores, -(-count // _CHUNK))
    if threads <= 1:
        return encode(payloads, settings)
    starts = range(_CHUNK, count, _CHUNK)
    first = _chunk(encode, payloads, settings, 0)
    batch = np.empty((count, *first.shape[1:]), dtype=first.dtype)
    batch[: len(first)] = first

    def fill(start: int) -> None:
        part = _chunk(encode, payloads, settings, start)
        batch[start : start + len(part)] = part

    with ThreadPoolExecutor(threads, thread_name_prefix="encode") as pool:
        futures = [pool.submit(fill, start) for start in starts]
        try:
            for future in futures:  # in order, so that the first bad payload is the one that is told
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return batch


def _chunk(encode: Any, payloads: Sequence[bytes], settings: Mapping[str, Any], start: int) -> AnyArray:
    try:
        found: AnyArray = encode(payloads[start : start + _CHUNK], settings)
    except ModelmintError as error:
        if "input" in error.details:
            name_input(error, start + int(error.details["input"]), len(payloads))
        raise
    return found
