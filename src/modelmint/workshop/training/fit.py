"""The training loop, in replaceable steps; killed at any moment and started again it ends with the same weights."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from modelmint.kit.progress import Bar, Progress, Silent
from modelmint.workshop.errors import TooFewPictures, TrainingDiverged
from modelmint.workshop.training.augment import Augmenter
from modelmint.workshop.training.checkpoint import load_checkpoint, save_checkpoint, sweep
from modelmint.workshop.training.inputs import Data
from modelmint.workshop.training.layout import arrange, arrange_batch, cast
from modelmint.workshop.training.logs import TensorBoardLog, have_tensorboard
from modelmint.workshop.training.loss import make_loss
from modelmint.workshop.training.norms import train_mode
from modelmint.workshop.training.optimiser import set_rate
from modelmint.workshop.training.schedule import rate_factor
from modelmint.workshop.training.seeds import epoch_order, generator_for, seed_for
from modelmint.workshop.training.state import TrainingState
from modelmint.workshop.training.types import EpochRow, Layout, Plan
from modelmint.workshop.training.validate import validate

#: A checkpoint is written at the end of every epoch, and within one after so many seconds.
CHECKPOINT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Fitted:
    """How a training went; the network itself holds the kept weights, in eval mode."""

    history: tuple[EpochRow, ...]
    kept_epoch: int
    #: Seconds over all parts of the run, interrupted ones included.
    seconds: float


class Fitter:
    """One training of ``network`` by ``plan``. ``identity`` names the run, so that only its own checkpoint is taken."""

    def __init__(
        self,
        network: nn.Module,
        data: Data,
        plan: Plan,
        layout: Layout,
        *,
        scratch: Path,
        identity: str,
        augmenter: Augmenter | None = None,
        progress: Progress | None = None,
        checkpoint_seconds: float | None = None,
    ) -> None:
        if len(data.train) < 2 or len(data.val) < 1:
            raise TooFewPictures(
                f"training needs at least 2 training rows and 1 validation row, "
                f"found {len(data.train)} and {len(data.val)}. Do: check the data's findings and splits"
            )
        self.data, self.plan, self.layout = data, plan, layout
        self.scratch, self.identity = scratch, identity
        self.augmenter = augmenter
        self.progress = progress or Silent()
        self.checkpoint_seconds = CHECKPOINT_SECONDS if checkpoint_seconds is None else checkpoint_seconds
        self.device = next(network.parameters()).device
        self.loss = make_loss(plan, self.device)
        self.state = TrainingState.fresh(arrange(network, layout), plan)
        # A last, smaller batch is left out: batch normalisation would learn from too few rows.
        self.batch = min(plan.batch_size, len(data.train))
        self.steps = len(data.train) // self.batch
        self._saved_at = time.monotonic()
        self._clock = time.monotonic()

    def run(self) -> Fitted:
        """Train to the end, from the last checkpoint where there is one."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        sweep(self.scratch)
        saved = load_checkpoint(self.scratch, self.identity)
        if saved is not None:
            self.state.restore(saved)
            self.progress.note(f"going on after epoch {self.state.epoch}, step {self.state.step}")
        log = TensorBoardLog(self.scratch / "tensorboard", self.state.history) if have_tensorboard() else None
        self._clock = self._saved_at = time.monotonic()
        with self.progress.bar("train", self.plan.epochs * self.steps) as bar:
            bar.advance(self.state.epoch * self.steps + self.state.step)
            while not self.finished():
                self.one_epoch(bar)
                if log:
                    log.add(self.state.history[-1])
                self.save()
        if log:
            log.close()
        return self.finish()

    def finished(self) -> bool:
        """All epochs done, or patience at its end."""
        patience = self.plan.patience
        return self.state.epoch >= self.plan.epochs or bool(patience and self.state.stale_epochs() >= patience)

    def one_epoch(self, bar: Bar) -> None:
        """The rest of the present epoch, then validation."""
        state = self.state
        order = epoch_order(self.plan.seed, state.epoch, len(self.data.train))
        train_mode(state.network, freeze_norm=self.plan.freeze_norm)
        figures: dict[str, float | str] = {}
        if state.history:
            figures["accuracy"] = state.history[-1].val_accuracy
        while state.step < self.steps:
            rows = order[state.step * self.batch : (state.step + 1) * self.batch]
            state.loss_sum += self.one_step(rows)
            state.step += 1
            bar.advance(1, epoch=f"{state.epoch + 1}/{self.plan.epochs}", loss=state.loss_sum / state.step, **figures)
            if time.monotonic() - self._saved_at >= self.checkpoint_seconds:
                self.save()
        self.close_epoch()

    def one_step(self, rows: torch.Tensor) -> float:
        """One batch: draw, augment, forward, backward, update. Its loss."""
        state, seed = self.state, self.plan.seed
        done = state.epoch * self.steps + state.step
        rate = self.plan.learning_rate * rate_factor(
            self.plan.schedule, done, self.plan.epochs * self.steps, self.plan.warmup
        )
        set_rate(state.optimiser, rate)
        batch = self.data.train.inputs[rows].to(self.device)
        targets = self.data.train.targets[rows].to(self.device)
        if self.augmenter:
            batch = self.augmenter(batch, generator_for(seed, "augment", state.epoch, state.step))
        torch.manual_seed(seed_for(seed, "network", state.epoch, state.step))  # dropout draws from here
        with cast(self.layout, self.device):
            logits = state.network(arrange_batch(batch, self.layout))
        loss = self.loss(logits, targets)
        state.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        state.optimiser.step()
        found = loss.item()
        if not math.isfinite(found):
            raise TrainingDiverged(
                f"the loss became {found} in epoch {state.epoch + 1}, step {state.step + 1}; expected a finite number. "
                f"Do: lower model.learning_rate (now {self.plan.learning_rate:g}) and check the data's findings"
            )
        return found

    def close_epoch(self) -> None:
        """Validate, write the history's line, keep the best weights."""
        state = self.state
        loss, accuracy = validate(state.network, self.data.val, self.layout, self.device)
        rate = max(group["lr"] for group in state.optimiser.param_groups)
        state.history.append(EpochRow(state.epoch + 1, state.loss_sum / self.steps, loss, accuracy, rate))
        state.epoch, state.step, state.loss_sum = state.epoch + 1, 0, 0.0
        if self.plan.keep == "best":
            state.remember_best()

    def save(self) -> None:
        """Write a checkpoint, synced."""
        now = time.monotonic()
        self.state.seconds += now - self._clock
        self._clock = now
        save_checkpoint(self.scratch, self.state.to_plain(self.identity))
        self._saved_at = time.monotonic()

    def finish(self) -> Fitted:
        """Put the kept weights into the network that was given."""
        state = self.state
        kept = state.epoch
        if self.plan.keep == "best" and state.best:
            kept = state.best.epoch
            state.network.load_state_dict(state.best.weights)
        state.network.eval()
        return Fitted(tuple(state.history), kept, state.seconds)


def fit(
    network: nn.Module,
    data: Data,
    plan: Plan,
    layout: Layout,
    *,
    scratch: Path,
    identity: str,
    augmenter: Augmenter | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Train ``network`` in place; resumes from ``scratch``.

    Raises ``TooFewPictures`` and ``TrainingDiverged``.
    """
    return Fitter(
        network, data, plan, layout, scratch=scratch, identity=identity, augmenter=augmenter, progress=progress
    ).run()
