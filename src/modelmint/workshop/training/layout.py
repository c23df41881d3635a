"""Which precision and memory layout a network trains in: timed once per machine, then remembered.

A timing is never twice the same, so the decision is made once with a clear margin and kept in the
user's cache folder (``MODELMINT_CACHE``): two builds on one machine agree. A training keeps its own copy, so that it
goes on as it began wherever that folder cannot be written.
"""

from __future__ import annotations

import copy
import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modelmint.kit.canonical import pretty_json
from modelmint.kit.digest import digest_value
from modelmint.kit.files import write_atomic
from modelmint.kit.ids import new_id
from modelmint.workshop.training.loss import Loss
from modelmint.workshop.training.types import Layout

#: Another layout is taken only where its step costs at most this share of the default's.
_MARGIN = 0.85
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class LayoutDecision:
    """The layout and the seconds per step it was chosen by (lowest of a few rounds; empty where not timed)."""

    layout: Layout
    measured: Mapping[str, float]


def cache_folder() -> Path:
    """``MODELMINT_CACHE``, else the platform's place for a user's caches."""
    stated = os.environ.get("MODELMINT_CACHE")
    if stated:
        return Path(stated)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "modelmint"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "modelmint"


def cast(layout: Layout, device: torch.device) -> AbstractContextManager[Any]:
    """Context in which the forward pass computes in the layout's precision; weights stay float32."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=layout.precision == "bfloat16")


def arrange(network: nn.Module, layout: Layout) -> nn.Module:
    """``network`` with its convolution weights laid out as decided; in place."""
    return network.to(memory_format=_format(layout))  # type: ignore[call-overload, no-any-return] # torch types no overload for it


def arrange_batch(batch: torch.Tensor, layout: Layout) -> torch.Tensor:
    """A batch in the layout's memory format; feature batches stay as they are."""
    return batch.contiguous(memory_format=_format(layout)) if batch.dim() == 4 else batch


def _format(layout: Layout) -> torch.memory_format:
    return torch.channels_last if layout.channels_last else torch.contiguous_format


def candidates(network: nn.Module, precision: str) -> list[Layout]:
    """Layouts worth timing, the default first. ``precision`` is the venture's: auto, float32 or bfloat16."""
    convolutions = any(isinstance(module, nn.Conv2d) for module in network.modules())
    formats = [True, False] if convolutions else [False]
    precisions = ["float32", "bfloat16"] if precision == "auto" else [precision]
    return [Layout(kind, last) for kind in precisions for last in formats]


def decide(
    network: nn.Module,
    pixels: torch.Tensor,
    targets: torch.Tensor,
    loss: Loss,
    *,
    precision: str,
    key: Mapping[str, Any],
    scratch: Path | None = None,
) -> LayoutDecision:
    """The layout for training ``network`` on batches like ``pixels``.

    ``key`` says what the decision depends on (machine, versions, architecture, sizes, threads). ``scratch`` keeps it
    for this training, which goes on with it where it was interrupted, even if the user's cache cannot be written.
    """
    layouts = candidates(network, precision)
    if len(layouts) == 1:
        return LayoutDecision(layouts[0], {})
    name = f"{digest_value([key, precision])[:32]}.json"
    path, own = cache_folder() / "layouts" / name, scratch / f"layout-{name}" if scratch else None
    known = (_read(own) if own else None) or _read(path)
    if known is None:
        known = _measure(network, pixels, targets, loss, layouts)
        _write_first(path, _record(key, known))
        known = _read(path) or known
    if own and not own.exists():
        write_atomic(own, pretty_json(_record(key, known)))
    return known


def _record(key: Mapping[str, Any], decision: LayoutDecision) -> dict[str, Any]:
    return {"key": dict(key), "layout": asdict(decision.layout), "measured": dict(decision.measured)}


def _measure(
    network: nn.Module, pixels: torch.Tensor, targets: torch.Tensor, loss: Loss, layouts: list[Layout]
) -> LayoutDecision:
    measured = _time(network, pixels, targets, loss, layouts)
    best = layouts[0]
    for layout in layouts[1:]:
        if (
            measured[_name(layout)] < _MARGIN * measured[_name(layouts[0])]
            and measured[_name(layout)] < measured[_name(best)]
        ):
            best = layout
    return LayoutDecision(best, measured)


def _name(layout: Layout) -> str:
    return f"{layout.precision} {'channels_last' if layout.channels_last else 'contiguous'}"


def _time(
    network: nn.Module, pixels: torch.Tensor, targets: torch.Tensor, loss: Loss, layouts: list[Layout]
) -> dict[str, float]:
    copies = [arrange(copy.deepcopy(network), layout).train() for layout in layouts]
    best: dict[str, float] = {}
    for turn in range(_ROUNDS + 1):
        for one, layout in zip(copies, layouts, strict=True):
            seconds = _step_seconds(one, pixels, targets, loss, layout)
            if turn:  # the first round warms caches up
                best[_name(layout)] = min(seconds, best.get(_name(layout), seconds))
    return {name: round(seconds, 6) for name, seconds in best.items()}


def _step_seconds(network: nn.Module, pixels: torch.Tensor, targets: torch.Tensor, loss: Loss, layout: Layout) -> float:
    """One forward and backward pass: CPU seconds, which other processes disturb least; wall seconds on a GPU."""
    clock = time.process_time if pixels.device.type == "cpu" else time.perf_counter
    network.zero_grad()
    start = clock()
    with cast(layout, pixels.device):
        logits = network(arrange_batch(pixels, layout))
    value = loss(logits, targets)
    torch.autograd.backward(value)
    value.item()
    if pixels.device.type == "cuda":
        torch.cuda.synchronize(pixels.device)
    return clock() - start


def _read(path: Path) -> LayoutDecision | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return LayoutDecision(Layout(**found["layout"]), found["measured"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write_first(path: Path, content: Mapping[str, Any]) -> None:
    """Write unless another build has decided meanwhile; a folder that cannot be written is not an error."""
    mine = path.with_name(f"{path.name}.{new_id('try')}")
    with suppress(OSError):
        write_atomic(mine, pretty_json(content))
        if _read(path) is None:
            path.unlink(missing_ok=True)
        try:
            os.link(mine, path)
        finally:
            mine.unlink(missing_ok=True)
