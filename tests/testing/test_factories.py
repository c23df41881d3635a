from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from modelmint.inference.engines.registry import ENGINES, available
from modelmint.inference.predictor import Predictor
from modelmint.releases.verify import verify
from modelmint.testing.graphs import linear_graph
from modelmint.testing.pictures import picture
from modelmint.testing.releases import brightness_release


def test_the_hand_written_graph_is_the_matrix_product_it_says() -> None:
    random = np.random.default_rng(1)
    weights, bias = random.normal(size=(3 * 4 * 4, 5)), random.normal(size=5)
    pixels = random.normal(size=(7, 3, 4, 4)).astype(np.float32)
    session = onnxruntime.InferenceSession(linear_graph(weights, bias, channels=3, side=4))
    (found,) = session.run(["logits"], {"pixels": pixels})
    np.testing.assert_allclose(found, pixels.reshape(7, -1) @ weights + bias, rtol=1e-4, atol=1e-4)


def test_the_hand_written_graph_is_valid_to_the_onnx_checker() -> None:
    onnx = pytest.importorskip("onnx")
    onnx.checker.check_model(onnx.load_from_string(linear_graph(np.zeros((16, 2)), np.zeros(2), 1, 4)), full_check=True)


def test_a_graph_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected weights \[16, k\]"):
        linear_graph(np.zeros((15, 2)), np.zeros(2), 1, 4)


@pytest.mark.parametrize("engine", available())
def test_the_brightness_model_is_right_on_every_engine(tmp_path: Path, engine: str) -> None:
    release = brightness_release(tmp_path)
    opened = ENGINES.get(engine)(release.graph(), 1)
    for level, label in ((10, "dark"), (100, "dark"), (160, "bright"), (250, "bright")):
        (answer,) = Predictor(release.spec(), opened).predict([picture(level, noise=5, seed=level)])
        assert answer.label == label
    opened.close()


def test_two_brightness_releases_of_different_sharpness_have_different_ids_and_are_sound(tmp_path: Path) -> None:
    one, two = brightness_release(tmp_path), brightness_release(tmp_path, sharpness=5.0)
    assert one.id != two.id
    assert verify(one.path) == verify(two.path) == []
    assert brightness_release(tmp_path).id == one.id
