"""Models of Keras and scikit-learn answer here as they do at home, to 1e-5."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from modelmint.data.version import DatasetVersion
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.explain.explain import explain_row
from modelmint.inference.predictor import Predictor
from modelmint.kit.arrays import AnyArray
from modelmint.kit.progress import Silent
from modelmint.tasks.registry import TASKS
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.compression.quantise import Quantise
from modelmint.workshop.compression.types import Materials
from modelmint.workshop.errors import RecipeFailed
from modelmint.workshop.steps import adopt
from modelmint.workshop.training.types import TrainedRun

from .made import Made, pixels


def adopted(data: DatasetVersion, graph: Path, into: Path, **keys: Any) -> TrainedRun:
    section = ModelSection(base=graph.name, **keys)
    return adopt.run(adopt.AdoptInputs(data, section, graph.parent, 10**6), into, Silent())


def said_here(run: TrainedRun, data: DatasetVersion) -> AnyArray:
    """Probabilities ``[validation rows, labels]`` by the path that serving uses: encode, engine, decode."""
    engine = ENGINES.get("onnxruntime")(run.folder / "model.onnx", 1)
    try:
        return np.array([one.probabilities for one in Predictor(run.spec, engine).predict(data.payloads("val"))])
    finally:
        engine.close()


def sklearn_model(kind: Any, data: DatasetVersion, folder: Path, zipmap: bool) -> Made:
    train, val = (pixels(data, split).reshape(-1, 64).astype(np.float32) for split in ("train", "val"))
    kind.fit(train, data.targets("train"))
    model = to_onnx(kind, train[:1], options={id(kind): {"zipmap": zipmap}})
    path = folder / "sklearn.onnx"
    path.write_bytes(model.SerializeToString())
    return Made(path, kind.predict_proba(val))


def test_a_keras_model_with_its_preprocessing_inside_answers_as_keras_does(
    digits: DatasetVersion, keras_model: Made, tmp_path: Path
) -> None:
    run = adopted(digits, keras_model.path, tmp_path / "run")
    found = said_here(run, digits)
    assert np.abs(found - keras_model.probabilities).max() < 1e-5
    assert (found.argmax(axis=1) == digits.targets("val")).mean() > 0.85
    source = run.backbone["source"]
    assert (source["reading"]["layout"], source["reading"]["scale"]) == ("nhwc", "raw")
    assert source["output"]["peeled"] == "Softmax"
    assert "nhwc, raw" in run.notes[0]
    assert "unit" in run.notes[1]  # what was tried beside it, with its figures


@pytest.mark.parametrize(
    ("kind", "zipmap"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression(max_iter=20, tol=0.01)), True),
        (make_pipeline(StandardScaler(), LogisticRegression(max_iter=20, tol=0.01)), False),
        (RandomForestClassifier(12, max_depth=6, random_state=0), False),
        (GradientBoostingClassifier(n_estimators=5, max_features=0.2, random_state=0), True),
    ],
    ids=["logistic-dictionaries", "logistic", "forest", "boosting-dictionaries"],
)
def test_a_scikit_learn_model_on_flat_pixels_answers_as_scikit_learn_does(
    digits: DatasetVersion, tmp_path: Path, kind: Any, zipmap: bool
) -> None:
    made = sklearn_model(kind, digits, tmp_path, zipmap)
    run = adopted(digits, made.path, tmp_path / "run")
    found = said_here(run, digits)
    assert np.abs(found - made.probabilities).max() < 1e-5
    assert (found.argmax(axis=1) == digits.targets("val")).mean() > 0.85
    assert run.backbone["source"]["reading"]["scale"] == "raw"
    assert run.backbone["source"]["producer"].startswith("skl2onnx")


@pytest.mark.parametrize(("order", "told"), [(list("0123456789"), False), (list("0183456729"), True)])
def test_two_labels_that_changed_places_are_seen_though_most_answers_are_right(
    digits: DatasetVersion, tmp_path: Path, order: list[str], told: bool
) -> None:
    train, targets = pixels(digits, "train").reshape(-1, 64).astype(np.float32), digits.targets("train")
    place = np.array([order.index(label) for label in digits.labels])
    kind = RandomForestClassifier(12, max_depth=8, random_state=0).fit(train, place[targets])
    path = tmp_path / "swapped.onnx"
    path.write_bytes(to_onnx(kind, train[:1], options={"zipmap": False}).SerializeToString())
    notes = adopted(digits, path, tmp_path / "run").notes
    assert any(f"another order: data.labels = {order}" in note for note in notes) == told


def test_a_model_of_class_names_keeps_them_whatever_the_order_of_the_labels(
    brightness: DatasetVersion, tmp_path: Path
) -> None:
    train = pixels(brightness, "train").reshape(-1, 256).astype(np.float32)
    names = np.array(brightness.labels)[brightness.targets("train")]
    kind = LogisticRegression().fit(train / 255, names)
    assert list(kind.classes_) == ["bright", "dark"]  # sorted, as scikit-learn does; the venture says dark, bright
    path = tmp_path / "named.onnx"
    path.write_bytes(to_onnx(kind, train[:1], options={"zipmap": False}).SerializeToString())
    run = adopted(brightness, path, tmp_path / "run", scale="unit")
    expected = kind.predict_proba(pixels(brightness, "val").reshape(-1, 256) / 255)[:, ::-1]
    assert np.abs(said_here(run, brightness) - expected).max() < 1e-5


def test_answers_of_an_adopted_model_of_any_layout_are_explained_by_hiding_regions(
    digits: DatasetVersion, keras_model: Made, tmp_path: Path
) -> None:
    flat = sklearn_model(RandomForestClassifier(12, max_depth=6, random_state=0), digits, tmp_path, zipmap=False)
    for name, graph in (("nhwc", keras_model.path), ("flat", flat.path)):
        run = adopted(digits, graph, tmp_path / name)
        task = TASKS.get(run.spec.task)
        encoded = task.encode(digits.payloads("val")[:1], run.spec.settings)
        engine = ENGINES.get("onnxruntime")(run.folder / "model.onnx", 1)
        logits = engine.run(encoded)[0]
        found = explain_row(engine, encoded[0], logits, int(logits.argmax()), run.spec)
        engine.close()
        assert (found.kind, found.grid) == ("occlusion", (7, 7))
        values = np.array(found.values)
        assert (values.max(), values.shape) == (1.0, (7, 7))
        assert np.median(values) < 0.9  # some regions matter more than others


def test_a_keras_model_in_eight_bits_keeps_its_answers(
    digits: DatasetVersion, keras_model: Made, tmp_path: Path
) -> None:
    run = adopted(digits, keras_model.path, tmp_path / "run")
    encoded = TASKS.get(run.spec.task).encode(digits.payloads("train")[:64], run.spec.settings)
    done = Quantise().apply(run.folder / "model.onnx", tmp_path / "int8.onnx", {}, Materials(lambda: encoded))
    engine = ENGINES.get("onnxruntime")(tmp_path / "int8.onnx", 1)
    said = [one.probabilities for one in Predictor(run.spec, engine).predict(digits.payloads("val"))]
    engine.close()
    assert done.precision == "int8"
    assert (tmp_path / "int8.onnx").stat().st_size < (run.folder / "model.onnx").stat().st_size
    assert np.abs(np.array(said) - keras_model.probabilities).mean() < 0.02


def test_a_forest_has_nothing_for_eight_bits_and_says_so(digits: DatasetVersion, tmp_path: Path) -> None:
    made = sklearn_model(RandomForestClassifier(4, max_depth=4, random_state=0), digits, tmp_path, zipmap=False)
    run = adopted(digits, made.path, tmp_path / "run")
    encoded = TASKS.get(run.spec.task).encode(digits.payloads("train")[:32], run.spec.settings)
    with pytest.raises(RecipeFailed, match="no operator of this graph can compute with 8-bit numbers"):
        Quantise().apply(run.folder / "model.onnx", tmp_path / "int8.onnx", {}, Materials(lambda: encoded))


_ALONE = """
import sys
from pathlib import Path
from modelmint.data.version import DatasetVersion
from modelmint.kit.progress import Silent
from modelmint.venture.sections.compress import CompressSection
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop import pipeline
from modelmint.workshop.compression.graphs import CompressInputs, make_graphs
from modelmint.workshop.steps import adopt, compress

data, graph, into = DatasetVersion.open(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3])
adopt.run(adopt.AdoptInputs(data, ModelSection(base=graph.name), graph.parent, 10**6), into / "run", Silent())
inputs = CompressInputs(into / "run", data, {"default": CompressSection()}, 0.0, 0)
print([one.key for one in make_graphs(inputs, into / "graphs", Silent())])
print([name for name in ("torch", "transformers") if name in sys.modules])
"""


def test_a_model_made_elsewhere_is_adopted_and_compressed_without_torch(digits: DatasetVersion, tmp_path: Path) -> None:
    made = sklearn_model(RandomForestClassifier(4, max_depth=4, random_state=0), digits, tmp_path, zipmap=True)
    line = [sys.executable, "-c", _ALONE, str(digits.folder), str(made.path), str(tmp_path)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows, heavy = done.stdout.splitlines()
    assert heavy == "[]"
    assert rows.startswith("['onnx-fp32@onnxruntime'")
    assert "torch" not in rows
