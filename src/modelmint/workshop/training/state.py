"""Everything that changes while a network trains, as one thing that can be saved and restored."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import nn

from modelmint.workshop.training.optimiser import make_optimiser
from modelmint.workshop.training.types import EpochRow, Plan


@dataclass
class Best:
    """The weights with the lowest validation loss so far."""

    epoch: int
    loss: float
    weights: dict[str, torch.Tensor]


@dataclass
class TrainingState:
    """Weights, optimiser, history and the place in the data.

    Random streams need no state: they are keyed by seed, epoch and step. The schedule is a function of the step.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    epoch: int = 0
    #: Steps done in this epoch, and the sum of their losses.
    step: int = 0
    loss_sum: float = 0.0
    seconds: float = 0.0
    history: list[EpochRow] = field(default_factory=list)
    best: Best | None = None

    @classmethod
    def fresh(cls, network: nn.Module, plan: Plan) -> TrainingState:
        """The state before the first step."""
        return cls(network, make_optimiser(network, plan))

    def remember_best(self) -> None:
        """Keep a copy of the weights if the last epoch's validation loss is the lowest."""
        row = self.history[-1]
        if self.best is None or row.val_loss < self.best.loss:
            self.best = Best(row.epoch, row.val_loss, copy.deepcopy(self.network.state_dict()))

    def stale_epochs(self) -> int:
        """Epochs since the lowest validation loss."""
        losses = [row.val_loss for row in self.history]
        return len(losses) - 1 - losses.index(min(losses)) if losses else 0

    def to_plain(self, identity: str) -> dict[str, Any]:
        """Tensors, numbers, strings, lists and dicts: what ``weights_only`` loading accepts."""
        best = self.best
        return {
            "identity": identity,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "epoch": self.epoch,
            "step": self.step,
            "loss_sum": self.loss_sum,
            "seconds": self.seconds,
            "history": [asdict(row) for row in self.history],
            "best": {"epoch": best.epoch, "loss": best.loss, "weights": best.weights} if best else None,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Continue where ``to_plain`` stood."""
        self.network.load_state_dict(saved["network"])
        self.optimiser.load_state_dict(saved["optimiser"])
        self.epoch, self.step = saved["epoch"], saved["step"]
        self.loss_sum, self.seconds = saved["loss_sum"], saved["seconds"]
        self.history = [EpochRow(**row) for row in saved["history"]]
        self.best = Best(**saved["best"]) if saved["best"] else None
