"""Maps of heat: what they show, what they cost, and what becomes of odd pictures and networks."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from modelmint.inference.explain import CAM, OCCLUSION, Explanation, png
from modelmint.inference.explain.answers import drawn_again, kept_explanation, present_explanation
from modelmint.inference.explain.cam import cam_map
from modelmint.inference.explain.explain import explain_row
from modelmint.inference.explain.heatmap import LONGEST
from modelmint.inference.explain.regions import cells, grid_of, painted
from modelmint.kit.arrays import AnyArray
from modelmint.tasks.decision import log_odds, probabilities
from modelmint.tasks.errors import BadOutputs
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import DecisionRule, ModelSpec
from modelmint.testing.pictures import picture

TASK = TASKS.get("image-classification")


def spec_of(size: int = 28, channels: int = 1, labels: tuple[str, ...] = ("no", "yes")) -> ModelSpec:
    return ModelSpec(TASK.name, TASK.default_settings(image_size=size, channels=channels), labels, DecisionRule())


class Corner:
    """Says "yes" by how bright the lower right quarter is; ``sharpness`` can saturate it."""

    def __init__(self, sharpness: float = 4.0) -> None:
        self.rows = 0
        self.sharpness = sharpness

    def run(self, batch: AnyArray) -> AnyArray:
        self.rows += len(batch)
        half = batch.shape[-1] // 2
        level = self.sharpness * batch[:, :, half:, half:].mean(axis=(1, 2, 3))
        return np.stack([-level, level], axis=1).astype(np.float32)

    def cam(self, batch: AnyArray) -> AnyArray | None:
        return None


def lit(size: int = 28, channels: int = 1) -> AnyArray:
    """One encoded picture, dark, with a bright lower right quarter."""
    row = np.full((channels, size, size), -1.0, dtype=np.float32)
    row[:, size // 2 :, size // 2 :] = 1.0
    return row


def explained(network: Corner, row: AnyArray, spec: ModelSpec, label: int = 1) -> Explanation:
    logits = network.run(row[None])[0]
    network.rows = 0
    return explain_row(network, row, logits, label, spec, over=(10, 10))


@pytest.mark.parametrize("channels", [1, 3])
def test_occlusion_finds_the_part_that_the_network_reads_in_grey_and_in_colour(channels: int) -> None:
    network = Corner()
    found = explained(network, lit(channels=channels), spec_of(channels=channels))
    heat = np.asarray(found.values)
    assert (found.kind, found.label, found.grid, found.passes) == (OCCLUSION, "yes", (7, 7), 49)
    assert network.rows == 49
    assert heat[4:, 4:].min() > 0.9
    assert heat[:3, :3].max() == 0.0
    assert found.png is not None
    assert found.ms > 0


def test_a_saturated_network_is_explained_by_log_odds_where_probabilities_no_longer_move() -> None:
    network = Corner(sharpness=500.0)
    row = lit()
    logits = network.run(row[None])
    assert probabilities(logits)[0, 1] == 1.0
    assert np.asarray(explained(network, row, spec_of()).values)[4:, 4:].min() > 0.9


def test_what_speaks_against_the_label_is_not_hot() -> None:
    assert np.asarray(explained(Corner(), lit(), spec_of(), label=0).values)[5, 5] == 0.0


def test_a_network_whose_score_never_moves_has_a_map_of_zeros() -> None:
    found = explained(Corner(sharpness=0.0), lit(), spec_of())
    assert set(np.ravel(found.values)) == {0.0}
    assert found.png is not None


@pytest.mark.parametrize(("size", "grid"), [(1, (1, 1)), (4, (4, 4)), (7, (7, 7)), (96, (7, 7))])
def test_pictures_smaller_than_the_grid_have_a_cell_a_pixel(size: int, grid: tuple[int, int]) -> None:
    masks = cells(size, size, grid_of(size, size))
    assert masks.shape == (grid[0] * grid[1], size, size)
    assert (masks.sum(axis=0) == 1).all()  # every pixel in one cell
    assert explained(Corner(), np.ones((1, size, size), dtype=np.float32), spec_of(size)).grid == grid


def test_painting_takes_the_mean_colour_and_leaves_the_rest_and_the_original() -> None:
    row = np.random.default_rng(0).normal(size=(3, 14, 14)).astype(np.float32)
    kept = row.copy()
    masks = cells(14, 14, (7, 7))
    found = painted(row, masks, TASK, spec_of(14, 3).settings)
    for mask, one in zip(masks, found, strict=True):
        np.testing.assert_allclose(one[:, mask], np.broadcast_to(row.mean(axis=(1, 2))[:, None], (3, 4)), atol=1e-6)
        np.testing.assert_array_equal(one[:, ~mask], row[:, ~mask])
    np.testing.assert_array_equal(row, kept)


def test_nan_on_the_way_is_a_broken_graph_and_no_map() -> None:
    class Broken(Corner):
        def run(self, batch: AnyArray) -> AnyArray:
            found = super().run(batch)
            found[0, 0] = np.nan
            return found

    with pytest.raises(BadOutputs, match="NaN"):
        explain_row(Broken(), lit(), np.zeros(2, dtype=np.float32), 1, spec_of())


def test_a_graph_with_a_map_of_its_own_is_asked_once() -> None:
    class Mapped(Corner):
        def cam(self, batch: AnyArray) -> AnyArray | None:
            return np.stack([-batch[:, 0], batch[:, 0]], axis=1)

    network = Mapped()
    found = explained(network, lit(), spec_of())
    assert (found.kind, found.passes, found.grid, network.rows) == (CAM, 1, (28, 28), 0)
    assert np.asarray(found.values)[14:, 14:].min() == 1.0


def test_a_map_of_a_label_is_its_evidence_beyond_that_of_the_others() -> None:
    maps = np.random.default_rng(1).normal(size=(3, 7, 7))
    shared = np.random.default_rng(2).normal(size=(7, 7))  # speaks for every label alike, so for none
    logits = maps.mean(axis=(1, 2))
    np.testing.assert_allclose(cam_map(maps + shared, logits, 1), cam_map(maps, logits, 1), atol=1e-12)
    two = cam_map(maps[:2], logits[:2], 0)
    np.testing.assert_allclose(two.mean(), log_odds(logits[None, :2], 0)[0], atol=1e-12)
    np.testing.assert_array_equal(cam_map(maps[:1], logits[:1], 0), maps[0])


def test_log_odds_are_those_of_the_softmax_and_stay_finite_where_it_saturates() -> None:
    logits = np.random.default_rng(3).normal(size=(5, 4)) * 3
    for label in range(4):
        share = probabilities(logits)[:, label]
        np.testing.assert_allclose(log_odds(logits, label), np.log(share / (1 - share)), rtol=1e-9)
    assert log_odds(np.array([[1e30, -1e30]]), 0)[0] == 2e30
    assert log_odds(np.array([[7.0]]), 0)[0] == 7.0  # a lone label


def made(values: list[list[float]]) -> Explanation:
    return Explanation(OCCLUSION, "yes", (len(values), len(values[0])), tuple(map(tuple, values)), 49, 1.0)


@pytest.mark.parametrize(
    ("sent", "size"),
    [
        (picture(100, side=1), (112, 112)),
        (picture(100, side=2000, form="JPEG"), (LONGEST, LONGEST)),
        ((5000, 2), (LONGEST, 1)),
        (Image.new("RGB", (300, 150)), (LONGEST, LONGEST // 2)),
    ],
    ids=["one-pixel", "large", "a-line", "colour"],
)
def test_the_heat_map_keeps_the_shape_of_the_picture_within_bounds(
    sent: bytes | tuple[int, int] | Image.Image, size: tuple[int, int]
) -> None:
    with Image.open(io.BytesIO(png(made([[0.0, 1.0], [0.5, 0.0]]), sent))) as found:
        assert (found.format, found.mode, found.size) == ("PNG", "RGB", size)


def test_the_hottest_place_is_the_lightest_and_the_same_map_gives_the_same_bytes() -> None:
    one = made([[0.0, 0.0], [0.0, 1.0]])
    drawn = np.asarray(Image.open(io.BytesIO(png(one, picture(0, side=64)))), dtype=float).sum(axis=2)
    assert drawn[-1, -1] > 3 * drawn[0, 0]
    assert png(one, picture(0, side=64)) == png(one, picture(0, side=64))


@pytest.mark.parametrize(("row", "column"), [(0, 2), (1, 0), (0, 1)])
def test_the_picture_of_a_map_is_light_where_the_map_is_hot_and_nowhere_else(row: int, column: int) -> None:
    values = [[0.0] * 3, [0.0] * 3]
    values[row][column] = 1.0
    with Image.open(io.BytesIO(png(made(values), (240, 160)))) as found:
        assert found.size == (240, 160)
        light = np.asarray(found.convert("L"), dtype=float).reshape(2, 80, 3, 80).mean(axis=(1, 3))
    assert np.unravel_index(light.argmax(), light.shape) == (row, column)
    assert light[1 - row, (column + 1) % 3] < light.max() / 2


def test_the_answer_as_json_leaves_out_a_picture_that_nobody_asked_for() -> None:
    found = present_explanation(made([[0.0, 1.0]]))
    assert found == {
        "kind": "occlusion", "label": "yes", "grid": [1, 2], "values": [[0.0, 1.0]], "passes": 49, "ms": 1.0
    }  # fmt: skip


@pytest.mark.parametrize("size", [(10, 10), (300, 100), (112, 7)])
def test_what_is_kept_of_an_explanation_is_drawn_again_to_the_byte(size: tuple[int, int]) -> None:
    found = explain_row(Corner(), lit(), Corner().run(lit()[None])[0], 1, spec_of(), over=size)
    kept = json.loads(json.dumps(kept_explanation(found)))
    assert "png" not in kept
    assert drawn_again(kept) == found  # its PNG too
