"""The loop's parts, one law each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from modelmint.kit.progress import Silent
from modelmint.tasks.types import ImageSettings
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.models.classifier import Classifier, Head
from modelmint.workshop.models.cnn import CnnBody
from modelmint.workshop.training import layout as layout_module
from modelmint.workshop.training.augment import ROTATE_DEGREES, SHIFT_SHARE, Augmenter
from modelmint.workshop.training.defaults import plan_for
from modelmint.workshop.training.features import Copies, features_of
from modelmint.workshop.training.inputs import Data, Rows
from modelmint.workshop.training.layout import decide
from modelmint.workshop.training.loss import balanced_weights, make_loss
from modelmint.workshop.training.optimiser import make_optimiser, set_rate
from modelmint.workshop.training.schedule import rate_factor
from modelmint.workshop.training.seeds import epoch_order, generator_for, seed_for
from modelmint.workshop.training.types import Layout, Plan

GREY = ImageSettings(image_size=24, channels=1, mean=(0.5,), std=(0.5,))


def plan(
    section: ModelSection | None = None, *, pretrained: bool = True, rows: int = 4708, augment: tuple[str, ...] = ()
) -> Plan:
    return plan_for(
        section or ModelSection(), pretrained=pretrained, rows=rows, class_weights=None, augment=augment, threads=2
    )


def blob(row: int = 12, column: int = 12) -> torch.Tensor:
    """A black picture with one bright 3x3 blob, values in [-1, 1]."""
    pixels = torch.full((64, 1, 24, 24), -1.0)
    pixels[:, :, row - 1 : row + 2, column - 1 : column + 2] = 1.0
    return pixels


def centres(pixels: torch.Tensor) -> torch.Tensor:
    """Row and column of the centre of brightness, ``[n, 2]``."""
    light = (pixels[:, 0] + 1) / (pixels[:, 0] + 1).sum(dim=(1, 2), keepdim=True)
    axis = torch.arange(24.0)
    return torch.stack([(light.sum(2) * axis).sum(1), (light.sum(1) * axis).sum(1)], 1)


@pytest.mark.parametrize("names", [("shift",), ("rotate", "scale"), ("flip",), ("brightness", "contrast"), ("erase",)])
def test_augmentation_repeats_for_a_key_and_differs_between_keys(names: tuple[str, ...]) -> None:
    pixels = torch.rand(16, 1, 24, 24, generator=generator_for(0, "pixels"))
    augmenter = Augmenter(names, GREY)
    one, two, other = (augmenter(pixels, generator_for(0, "augment", 0, step)) for step in (1, 1, 2))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert not torch.equal(one, pixels)


def test_no_augmentation_changes_nothing() -> None:
    pixels = torch.rand(4, 1, 24, 24)
    assert torch.equal(Augmenter((), GREY)(pixels, generator_for(1)), pixels)


def test_a_share_of_the_pictures_stays_as_it_is() -> None:
    pixels = torch.rand(200, 1, 24, 24, generator=generator_for(0, "pixels"))
    for names in (("shift", "rotate"), ("brightness", "contrast")):
        changed = Augmenter(names, GREY, share=0.5)(pixels, generator_for(1))
        same = torch.isclose(changed, pixels, atol=1e-4).flatten(1).all(1)
        assert 70 <= int(same.sum()) <= 130


def test_shifts_stay_within_their_share_of_the_side() -> None:
    moved = centres(Augmenter(("shift",), GREY)(blob(), generator_for(1))) - centres(blob())
    assert moved.abs().max() <= SHIFT_SHARE * 24 + 0.1
    assert moved.abs().max() > SHIFT_SHARE * 24 * 0.7


def test_rotations_move_an_outer_blob_by_at_most_the_limit() -> None:
    moved = centres(Augmenter(("rotate",), GREY)(blob(12, 20), generator_for(1)))
    angles = torch.rad2deg(torch.atan2(moved[:, 0] - 11.5, moved[:, 1] - 11.5))
    start = torch.rad2deg(torch.atan2(torch.tensor(0.5), torch.tensor(8.5)))
    assert (angles - start).abs().max() <= ROTATE_DEGREES + 1
    assert (angles - start).abs().max() > ROTATE_DEGREES * 0.7


@pytest.mark.parametrize(("name", "mirrored"), [("flip", (12, 19)), ("flip-vertical", (11, 4))])
def test_flips_mirror_about_half_of_the_pictures(name: str, mirrored: tuple[int, int]) -> None:
    moved = centres(Augmenter((name,), GREY)(blob(12, 4), generator_for(1)))
    flipped = torch.isclose(moved, torch.tensor(mirrored, dtype=torch.float32), atol=0.1).all(1)
    kept = torch.isclose(moved, torch.tensor([12.0, 4.0]), atol=0.1).all(1)
    assert (flipped ^ kept).all()
    assert 20 <= int(flipped.sum()) <= 44


def test_brightness_acts_in_pixel_space_whatever_the_scaling() -> None:
    settings = ImageSettings(image_size=24, channels=3, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4))
    mean, std = torch.tensor(settings.mean).view(1, 3, 1, 1), torch.tensor(settings.std).view(1, 3, 1, 1)
    pixels = torch.rand(8, 3, 24, 24)
    changed = Augmenter(("brightness", "contrast"), settings)((pixels - mean) / std, generator_for(2)) * std + mean
    plain = Augmenter(("brightness", "contrast"), ImageSettings(24, 3, (0.0,) * 3, (1.0,) * 3))(
        pixels, generator_for(2)
    )
    assert torch.allclose(changed, plain, atol=1e-5)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_a_schedule_rises_over_the_warm_up_and_never_passes_its_peak(schedule: str) -> None:
    rates = [rate_factor(schedule, step, 100, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1, abs=0.001)
    assert rates[:10] == sorted(rates[:10])
    assert max(rates) <= 1
    assert rates[99] == pytest.approx({"cosine": 0.0, "linear": 0.0, "constant": 1.0}[schedule], abs=0.02)
    assert rates[10] == pytest.approx(1.0)
    assert all(0 <= rate_factor(schedule, step, 1, 0.0) <= 1 for step in range(1))


def test_norms_and_biases_are_not_decayed() -> None:
    network = Classifier(CnnBody(1, [4, 8]), Head(8, 2))
    groups = make_optimiser(network, plan()).param_groups
    assert all((group["weight_decay"] > 0) == (parameter.ndim > 1) for group in groups for parameter in group["params"])
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


def test_every_group_follows_the_rate() -> None:
    optimiser = make_optimiser(Classifier(CnnBody(1, [4, 8]), Head(8, 2)), plan())
    assert len(optimiser.param_groups) == 2
    set_rate(optimiser, 0.5)
    assert [group["lr"] for group in optimiser.param_groups] == [0.5, 0.5]


def test_balanced_weights_make_every_label_count_the_same() -> None:
    targets = np.array([0] * 30 + [1] * 10, dtype=np.int64)
    found = balanced_weights(targets, 3)
    assert found == pytest.approx((40 / 90, 40 / 30, 0.0))
    assert found[0] * 30 == pytest.approx(found[1] * 10)


def test_the_loss_equals_the_formula_worked_by_hand() -> None:
    one = plan(ModelSection(label_smoothing=0.1))
    logits, target = torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    chance = torch.softmax(logits, 1)
    expected = -(0.95 * chance[0, 0].log() + 0.05 * chance[0, 1].log())
    assert make_loss(one, torch.device("cpu"))(logits, target).item() == pytest.approx(expected.item(), abs=1e-6)


def test_random_streams_are_keyed() -> None:
    assert seed_for(1, "a", 2) == seed_for(1, "a", 2)
    assert len({seed_for(seed, "a", epoch) for seed in range(5) for epoch in range(5)}) == 25
    assert torch.equal(epoch_order(3, 1, 50), epoch_order(3, 1, 50))
    assert not torch.equal(epoch_order(3, 1, 50), epoch_order(3, 2, 50))
    assert sorted(epoch_order(3, 1, 50).tolist()) == list(range(50))


def test_what_the_venture_states_wins_over_the_defaults() -> None:
    stated = ModelSection(epochs=7, batch_size=5, learning_rate=0.2, weight_decay=0.0, label_smoothing=0.0, patience=3)
    found = plan(stated)
    assert (found.epochs, found.batch_size, found.learning_rate) == (7, 5, 0.2)
    assert (found.weight_decay, found.label_smoothing) == (0.0, 0.0)
    assert (found.patience, found.keep) == (3, "best")


def test_fewer_pictures_mean_more_epochs_within_bounds() -> None:
    epochs = [plan(rows=rows).epochs for rows in (100, 1000, 10_000, 1_000_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] > epochs[-1] >= 1


def test_a_head_learns_from_plain_and_augmented_features_and_a_full_training_from_changing_pictures() -> None:
    assert plan(ModelSection(method="head"), augment=("shift",)).copies == 1
    assert plan(ModelSection(method="head"), augment=()).copies == 0
    assert plan(augment=("shift",)).copies == 0


def test_features_of_copies_follow_the_plain_ones_and_repeat_for_a_seed(tmp_path: Path) -> None:
    body = CnnBody(1, [4, 8]).eval()
    pixels = torch.rand(150, 1, 24, 24, generator=generator_for(0, "pixels"))
    data = Data(Rows(pixels, torch.arange(150) % 3), Rows(pixels[:5], torch.arange(5) % 3))

    def features(name: str, copies: Copies | None) -> Data:
        return features_of(body, data, Layout(), torch.device("cpu"), tmp_path / name, Silent(), copies)

    plain = features("plain", None)
    augmenter = Augmenter(("shift",), GREY)
    one, again, other = (features(str(turn), Copies(1, augmenter, seed)) for turn, seed in enumerate((3, 3, 4)))
    assert one.train.inputs.shape == (300, 8)
    assert torch.equal(one.train.inputs[:150], plain.train.inputs)
    assert torch.equal(one.train.targets[150:], plain.train.targets)
    assert torch.equal(one.train.inputs, again.train.inputs)
    assert not torch.equal(one.train.inputs[150:], other.train.inputs[150:])
    assert torch.equal(one.val.inputs, plain.val.inputs)


def test_a_layout_is_timed_once_and_then_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELMINT_CACHE", str(tmp_path))
    network = Classifier(CnnBody(1, [4, 8]), Head(8, 2))
    pixels, targets = torch.rand(4, 1, 12, 12), torch.tensor([0, 1, 0, 1])
    loss = make_loss(plan(), torch.device("cpu"))

    def ask(**key: object) -> layout_module.LayoutDecision:
        return decide(network, pixels, targets, loss, precision="auto", key=key)

    first = ask(batch=4)
    assert len(first.measured) == 4
    (file,) = (tmp_path / "layouts").glob("*.json")
    content = json.loads(file.read_text())
    content["layout"] = {"precision": "bfloat16", "channels_last": False}
    file.write_text(json.dumps(content))
    assert ask(batch=4).layout == Layout("bfloat16", channels_last=False)
    monkeypatch.setattr(layout_module, "_time", lambda *_: pytest.fail("timed again"))
    ask(batch=4)
    with pytest.raises(pytest.fail.Exception):
        ask(batch=8)


def test_the_default_layout_stays_unless_another_is_clearly_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELMINT_CACHE", str(tmp_path))
    network = Classifier(CnnBody(1, [4, 8]), Head(8, 2))
    pixels, targets = torch.rand(4, 1, 12, 12), torch.tensor([0, 1, 0, 1])
    loss = make_loss(plan(), torch.device("cpu"))
    names = ["float32 channels_last", "float32 contiguous", "bfloat16 channels_last", "bfloat16 contiguous"]
    for turn, (times, expected) in enumerate(
        [([1, 0.9, 0.95, 2], Layout("float32", True)), ([1, 0.9, 0.5, 0.6], Layout("bfloat16", True))]
    ):
        monkeypatch.setattr(layout_module, "_time", lambda *_, t=times: dict(zip(names, t, strict=True)))
        assert decide(network, pixels, targets, loss, precision="auto", key={"turn": turn}).layout == expected


def test_a_stated_precision_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELMINT_CACHE", str(tmp_path))
    network = Classifier(CnnBody(1, [4, 8]), Head(8, 2))
    loss = make_loss(plan(), torch.device("cpu"))
    found = decide(network, torch.rand(4, 1, 12, 12), torch.tensor([0, 1, 0, 1]), loss, precision="bfloat16", key={})
    assert found.layout.precision == "bfloat16"


def test_where_the_cache_cannot_be_written_a_training_goes_on_with_the_layout_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be")
    monkeypatch.setenv("MODELMINT_CACHE", str(tmp_path / "cache"))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    network = Classifier(CnnBody(1, [4, 8]), Head(8, 2))
    pixels, targets = torch.rand(4, 1, 12, 12), torch.tensor([0, 1, 0, 1])
    loss = make_loss(plan(), torch.device("cpu"))

    def ask(seconds: list[float]) -> layout_module.LayoutDecision:
        names = ["float32 channels_last", "float32 contiguous", "bfloat16 channels_last", "bfloat16 contiguous"]
        monkeypatch.setattr(layout_module, "_time", lambda *_: dict(zip(names, seconds, strict=True)))
        return decide(network, pixels, targets, loss, precision="auto", key={}, scratch=scratch)

    assert ask([1, 0.9, 0.5, 0.6]).layout == Layout("bfloat16", channels_last=True)
    assert ask([1, 0.5, 2, 2]).layout == Layout("bfloat16", channels_last=True)
