"""TensorBoard logs, rewritten from the history when a run resumes, so that a kill loses and doubles nothing."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Sequence
from pathlib import Path

from modelmint.workshop.training.types import EpochRow


def have_tensorboard() -> bool:
    """Whether the package is installed; without it a run simply has no such logs."""
    return importlib.util.find_spec("tensorboard") is not None


class TensorBoardLog:
    """Event files of one run in ``folder``."""

    def __init__(self, folder: Path, past: Sequence[EpochRow]) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import, so only where a run begins

        shutil.rmtree(folder, ignore_errors=True)
        self._writer = SummaryWriter(str(folder))
        for row in past:
            self.add(row)

    def add(self, row: EpochRow) -> None:
        """One epoch's figures."""
        for tag, value in (
            ("loss/train", row.loss),
            ("loss/validation", row.val_loss),
            ("accuracy/validation", row.val_accuracy),
            ("learning_rate", row.learning_rate),
        ):
            self._writer.add_scalar(tag, value, row.epoch)

    def close(self) -> None:
        self._writer.close()
