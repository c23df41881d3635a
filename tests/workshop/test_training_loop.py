"""The loop: it learns, it resumes to the same weights, it stops, it says what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from modelmint.tasks.types import ImageSettings
from modelmint.workshop.errors import TooFewPictures, TrainingDiverged
from modelmint.workshop.models.backbone import BaseRequest
from modelmint.workshop.models.classifier import Classifier
from modelmint.workshop.models.registry import resolve_base
from modelmint.workshop.training.augment import Augmenter
from modelmint.workshop.training.checkpoint import NAME, load_checkpoint, save_checkpoint
from modelmint.workshop.training.environment import reproducible
from modelmint.workshop.training.fit import Fitter
from modelmint.workshop.training.inputs import Data, Rows
from modelmint.workshop.training.types import Layout, Plan

PLAN = Plan(
    method="full", epochs=4, batch_size=16, optimizer="adamw", learning_rate=3e-3, weight_decay=0.01,
    label_smoothing=0.05, class_weights=None, schedule="cosine", warmup=0.1, patience=0,
    augment=("shift", "rotate", "brightness"), augment_share=0.7, copies=0,
    keep="last", freeze_norm=False, hidden=8, dropout=0.3,
    seed=7, threads=1,
)  # fmt: skip
SETTINGS = ImageSettings(image_size=12, channels=1, mean=(0.5,), std=(0.5,))


def data(rows: int = 70) -> Data:
    """Bright and dark halves of a square: left bright is 0, right bright is 1."""
    generator = torch.Generator().manual_seed(0)
    targets = torch.arange(rows) % 2
    pixels = torch.randn(rows, 1, 12, 12, generator=generator) * 0.3
    pixels[targets == 0, :, :, :6] += 0.5
    pixels[targets == 1, :, :, 6:] += 0.5
    return Data(Rows(pixels, targets), Rows(pixels[:20], targets[:20]))


def network(seed: int = 0) -> Classifier:
    return resolve_base(BaseRequest("cnn", Path(), image_size=12, channels=1)).build(
        2, hidden=8, dropout=0.3, seed=seed
    )


def fitter(scratch: Path, plan: Plan = PLAN, net: nn.Module | None = None, **more: Any) -> Fitter:
    settings = {"identity": "run", "checkpoint_seconds": 60.0, **more}
    return Fitter(
        net or network(),
        data(),
        plan,
        Layout(),
        scratch=scratch,
        augmenter=Augmenter(plan.augment, SETTINGS, plan.augment_share),
        **settings,
    )


def weights(of: Fitter) -> dict[str, torch.Tensor]:
    return {key: tensor.clone() for key, tensor in of.state.network.state_dict().items()}


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[key], two[key]) for key in one)


class Stopped(Exception):  # stands for a kill, not for an error
    """The process dies here."""


def stop_after(steps: int, of: Fitter) -> Callable[[torch.Tensor], float]:
    real, count = of.one_step, 0

    def step(rows: torch.Tensor) -> float:
        nonlocal count
        if count == steps:
            raise Stopped
        count += 1
        return real(rows)

    return step


def test_it_learns(tmp_path: Path) -> None:
    with reproducible(1):
        fitted = fitter(tmp_path, replace(PLAN, epochs=12)).run()
    assert fitted.history[-1].val_accuracy == 1.0
    assert [row.epoch for row in fitted.history] == list(range(1, 13))
    assert fitted.history[-1].learning_rate < fitted.history[2].learning_rate
    assert fitted.seconds > 0


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_run_stopped_in_several_places_ends_with_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str, keep: Any
) -> None:
    plan = replace(PLAN, optimizer=optimizer, keep=keep, learning_rate=1e-3)
    with reproducible(1):
        whole = fitter(tmp_path / "whole", plan)
        expected = whole.run()
        for steps, every in ((2, 0.0), (5, 60.0), (3, 0.0)):
            part = fitter(tmp_path / "parts", plan, checkpoint_seconds=every)
            monkeypatch.setattr(part, "one_step", stop_after(steps, part))
            with pytest.raises(Stopped):
                part.run()
        last = fitter(tmp_path / "parts", plan)
        found = last.run()
    assert found.history == expected.history
    assert found.kept_epoch == expected.kept_epoch
    assert same(weights(whole), weights(last))


def test_other_seeds_give_other_weights(tmp_path: Path) -> None:
    with reproducible(1):
        one, two = fitter(tmp_path / "1"), fitter(tmp_path / "2", replace(PLAN, seed=8))
        one.run()
        two.run()
    assert not same(weights(one), weights(two))


def test_a_checkpoint_of_another_run_is_not_taken(tmp_path: Path) -> None:
    with reproducible(1):
        fitter(tmp_path, identity="another").run()
        found = fitter(tmp_path)
        found.run()
        expected = fitter(tmp_path / "fresh")
        expected.run()
    assert same(weights(found), weights(expected))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_checkpoint_counts_as_none(tmp_path: Path, damage: str) -> None:
    save_checkpoint(tmp_path, {"identity": "run", "epoch": 3, "weights": torch.ones(4)})
    assert load_checkpoint(tmp_path, "run") is not None
    path = tmp_path / NAME
    content = bytearray(path.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    path.write_bytes({"truncated": content[:-7], "flipped": content, "empty": b""}[damage])
    assert load_checkpoint(tmp_path, "run") is None


def test_a_checkpoint_is_read_without_pickle(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, {"identity": "run", "network": network().state_dict()})
    state = load_checkpoint(tmp_path, "run")
    assert state is not None
    assert same(state["network"], network().state_dict())


def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    leftover = tmp_path / ".checkpoint.pt.1234abcd.tmp"
    leftover.write_bytes(b"half")
    with reproducible(1):
        fitter(tmp_path, replace(PLAN, epochs=1)).run()
    assert not leftover.exists()


def test_patience_ends_training_and_keeps_the_best_weights(tmp_path: Path) -> None:
    plan = replace(PLAN, epochs=40, patience=2, keep="best", learning_rate=0.03)
    with reproducible(1):
        found = fitter(tmp_path, plan)
        fitted = found.run()
    losses = [row.val_loss for row in fitted.history]
    assert len(losses) < 40
    assert losses.index(min(losses)) == len(losses) - 3
    assert fitted.kept_epoch == len(losses) - 2


def test_an_infinite_loss_says_what_to_do(tmp_path: Path) -> None:
    broken = network()
    with torch.no_grad():
        broken.head.layers[-1].bias.fill_(float("nan"))  # type: ignore[union-attr, operator] # a linear layer
    with pytest.raises(TrainingDiverged, match="learning_rate"):
        fitter(tmp_path, net=broken).run()


def test_one_training_row_is_too_few(tmp_path: Path) -> None:
    rows = data().train
    few = Data(Rows(rows.inputs[:1], rows.targets[:1]), rows)
    with pytest.raises(TooFewPictures, match="at least 2"):
        Fitter(network(), few, PLAN, Layout(), scratch=tmp_path, identity="x")


def test_a_frozen_norm_keeps_its_statistics(tmp_path: Path) -> None:
    net = network()
    before = net.body.layers[1].running_mean.clone()  # type: ignore[union-attr, index, operator] # a batch norm
    with reproducible(1):
        fitter(tmp_path, replace(PLAN, epochs=1, freeze_norm=True), net=net).run()
    assert torch.equal(before, net.body.layers[1].running_mean)  # type: ignore[union-attr, index, arg-type] # a batch norm


def test_fewer_rows_than_a_batch_still_train(tmp_path: Path) -> None:
    with reproducible(1):
        found = fitter(tmp_path, replace(PLAN, batch_size=4096, epochs=2)).run()
    assert len(found.history) == 2


def test_tensorboard_logs_hold_every_epoch_once_after_a_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with reproducible(1):
        part = fitter(tmp_path)
        monkeypatch.setattr(part, "one_step", stop_after(9, part))
        with pytest.raises(Stopped):
            part.run()
        fitted = fitter(tmp_path).run()
    found = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    events = found.Scalars("loss/validation")
    assert [event.step for event in events] == [1, 2, 3, 4]
    assert [event.value for event in events] == pytest.approx([row.val_loss for row in fitted.history])


def test_reproducible_gives_the_former_settings_back() -> None:
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    with reproducible(1):
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
    assert (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()) == before
