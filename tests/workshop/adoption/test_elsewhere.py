"""XGBoost, LightGBM, CatBoost and TensorFlow: what their exporters wrote answers here as it does at home, to 1e-5.

The files and what made them: ``elsewhere/README.md``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from modelmint.data.pictures import encode_png
from modelmint.data.version import DatasetVersion
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.predictor import Predictor
from modelmint.kit.arrays import AnyArray
from modelmint.kit.progress import Silent
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.steps import adopt
from modelmint.workshop.training.types import TrainedRun

FILES = Path(__file__).parent / "elsewhere"


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    """The first 300 digits as grey pictures of 8 x 8, the darkest ink 255."""
    table = np.rint(load_digits().data[:300] * (255 / 16)).astype(np.uint8)
    return [encode_png(row.reshape(8, 8)) for row in table]


def adopted(data: DatasetVersion, name: str, into: Path, **keys: Any) -> TrainedRun:
    section = ModelSection(base=f"{name}.onnx", **keys)
    return adopt.run(adopt.AdoptInputs(data, section, FILES, 10**6), into, Silent())


def said_here(run: TrainedRun, pictures: list[bytes]) -> AnyArray:
    engine = ENGINES.get("onnxruntime")(run.folder / "model.onnx", 1)
    try:
        return np.array([one.probabilities for one in Predictor(run.spec, engine).predict(pictures)])
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("name", "layout", "scale"),
    [("xgboost", "flat", "unit"), ("lightgbm", "flat", "raw"), ("catboost", "flat", "raw"), ("tf2onnx", "nhwc", "raw")],
)
def test_a_file_of_another_exporter_is_read_as_it_was_trained_and_answers_every_picture_as_at_home(
    digits: DatasetVersion, pictures: list[bytes], tmp_path: Path, name: str, layout: str, scale: str
) -> None:
    run = adopted(digits, name, tmp_path / "run")
    home = np.load(FILES / f"{name}.npy")
    assert np.abs(said_here(run, pictures) - home).max() < 1e-5
    assert (home.argmax(axis=1) == load_digits().target[:300]).mean() > 0.8
    reading = run.backbone["source"]["reading"]
    assert (reading["layout"], reading["scale"]) == (layout, scale)


@pytest.mark.parametrize(
    ("name", "producer"),
    [("xgboost", "OnnxMLTools 1.16.0"), ("catboost", "CatBoost")],
)
def test_the_producer_of_a_graph_is_told_in_one_line_whatever_the_exporter_wrote_there(
    digits: DatasetVersion, tmp_path: Path, name: str, producer: str
) -> None:
    run = adopted(digits, name, tmp_path / "run", scale="raw")
    assert run.backbone["source"]["producer"] == producer
