"""What must stand still for two runs to agree: threads, algorithms, versions, machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from modelmint.kit.machine import this_machine


def default_threads() -> int:
    """Compute threads of a training: ``MODELMINT_THREADS``, else the cores this process may use."""
    wanted = os.environ.get("MODELMINT_THREADS", "")
    return int(wanted) if wanted.isdigit() and int(wanted) else this_machine().cores


def device() -> torch.device:
    """``MODELMINT_DEVICE``, else CUDA where there is one, else the CPU."""
    wanted = os.environ.get("MODELMINT_DEVICE")
    return torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))


def environment(threads: int) -> dict[str, str | int]:
    """What a digest of weights depends on besides plan and data; recorded in ``run.json``."""
    machine = this_machine()
    where = device()
    return {
        "torch": torch.__version__,
        "machine": machine.fingerprint,
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else "cpu",
        "threads": threads,
    }


@contextmanager
def reproducible(threads: int) -> Iterator[None]:
    """Fixed thread count and deterministic algorithms inside the block; the former settings after it."""
    former_threads = torch.get_num_threads()
    former_mode = torch.get_deterministic_debug_mode()
    former_rng = torch.get_rng_state()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs to be deterministic
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.set_num_threads(former_threads)
        torch.set_deterministic_debug_mode(former_mode)
        torch.set_rng_state(former_rng)
