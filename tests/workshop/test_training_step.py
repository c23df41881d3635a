"""The train step as the pipeline calls it: on real scans, small."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from modelmint.data.errors import TooManyPixels
from modelmint.data.freeze import freeze
from modelmint.data.version import DatasetVersion
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.predictor import Predictor
from modelmint.kit.progress import Silent
from modelmint.tasks.registry import TASKS
from modelmint.testing.pictures import picture
from modelmint.venture.sections.data import DataSection
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop import digests
from modelmint.workshop.engine import register_torch_engine
from modelmint.workshop.errors import DamagedWeights
from modelmint.workshop.steps import prepare, train
from modelmint.workshop.training.inputs import encode_rows
from modelmint.workshop.training.load import load_run
from modelmint.workshop.training.run import open_run
from modelmint.workshop.training.types import TrainedRun

SECTION = {"base": "cnn", "image_size": 10, "epochs": 8}


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> DatasetVersion:
    pytest.importorskip("sklearn")
    folder = tmp_path_factory.mktemp("data") / "digits"
    prepare.run(DataSection(source="sklearn:digits"), Path(), folder)
    return DatasetVersion.open(folder)


@pytest.fixture(scope="module")
def trained(digits: DatasetVersion, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    room = tmp_path_factory.mktemp("train")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODELMINT_CACHE", str(room / "cache"))
        inputs = train.TrainInputs(digits, ModelSection(**SECTION), Path(), room / "scratch", threads=2)  # type: ignore[arg-type] # plain JSON
        return train.run(inputs, room / "out")


def test_a_finished_folder_holds_weights_description_times_and_logs(trained: TrainedRun) -> None:
    names = {item.name for item in trained.folder.iterdir()}
    assert {"model.safetensors", "run.json", "timing.json"} <= names
    run = json.loads((trained.folder / "run.json").read_text())
    assert run["backbone"]["name"] == "cnn"
    assert run["spec"]["settings"]["image_size"] == 10
    assert run["spec"]["settings"]["channels"] == 1
    assert "flip" not in run["plan"]["augment"]
    assert len(run["history"]) == 8
    assert "seconds" not in json.dumps(run)
    assert trained.seconds > 0


def test_it_reads_digits_after_a_few_epochs(trained: TrainedRun) -> None:
    assert trained.history[-1].val_accuracy > 0.95
    assert trained.history[-1].loss < trained.history[0].loss / 3


def test_the_torch_engine_scores_on_the_one_path(trained: TrainedRun, digits: DatasetVersion) -> None:
    register_torch_engine()
    engine = ENGINES.get("torch")(trained.folder, 1)
    predictor = Predictor(trained.spec, engine)
    logits = predictor.logits(digits.payloads("val"))
    targets = digits.targets("val")
    assert logits.shape == (len(targets), 10)
    assert float((logits.argmax(1) == targets).mean()) == pytest.approx(trained.history[-1].val_accuracy)
    predictor.close()


def test_the_loaded_network_answers_as_the_engine_does(trained: TrainedRun, digits: DatasetVersion) -> None:
    register_torch_engine()
    network, run = load_run(trained.folder)
    payloads = digits.payloads("val")[:20]
    rows = encode_rows(
        run.spec.task, run.spec.settings, payloads, digits.targets("val")[:20], Path("unused"), Silent(), "encode"
    )
    with torch.no_grad():
        expected = network(rows.inputs).numpy()
    found = Predictor(run.spec, ENGINES.get("torch")(trained.folder / "model.safetensors", 1)).logits(payloads)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_run_is_read_without_torch(trained: TrainedRun) -> None:
    program = (
        "import sys, pathlib\n"
        "from modelmint.workshop.training.run import open_run\n"
        "from modelmint.workshop.models.identity import base_identity\n"
        f"print(open_run(pathlib.Path({str(trained.folder)!r})).digest)\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == trained.digest


def test_a_changed_byte_of_the_weights_is_found(trained: TrainedRun, tmp_path: Path) -> None:
    for name in ("run.json", "timing.json"):
        (tmp_path / name).write_bytes((trained.folder / name).read_bytes())
    content = bytearray((trained.folder / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "model.safetensors").write_bytes(content)
    with pytest.raises(DamagedWeights, match="changed since it was written"):
        load_run(tmp_path)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedWeights, match="no finished training"):
        open_run(tmp_path)


def test_prepare_gives_the_same_version_twice(tmp_path: Path, digits: DatasetVersion) -> None:
    again = freeze(DataSection(source="sklearn:digits"), Path(), tmp_path / "again", Silent())
    assert again.digest == digits.digest


def test_large_inputs_are_mapped_from_disk_and_hold_the_same(
    digits: DatasetVersion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payloads, targets = digits.payloads("val")[:40], digits.targets("val")[:40]
    settings = {"image_size": 12, "channels": 1, "mean": [0.5], "std": [0.5]}

    def encode(spill: Path) -> torch.Tensor:
        return encode_rows("image-classification", settings, payloads, targets, spill, Silent(), "e").inputs

    kept = encode(tmp_path / "a")
    monkeypatch.setattr("modelmint.workshop.training.inputs._MEMORY_SHARE", 1e-12)
    mapped = encode(tmp_path / "b")
    assert torch.equal(kept, mapped)
    assert (tmp_path / "b").is_file()
    assert not (tmp_path / "a").exists()


def test_the_pixel_limit_of_the_data_is_that_of_the_model_too(digits: DatasetVersion, tmp_path: Path) -> None:
    section = ModelSection(base="cnn", image_size=8, epochs=1, precision="float32")
    inputs = train.TrainInputs(digits, section, Path(), tmp_path / "scratch", threads=2, max_pixels=4096)
    spec = train.run(inputs, tmp_path / "out").spec
    assert spec.settings["max_pixels"] == 4096
    assert len(TASKS.get(spec.task).encode([picture(side=64)], spec.settings)) == 1
    with pytest.raises(TooManyPixels, match="4,096"):
        TASKS.get(spec.task).encode([picture(side=65)], spec.settings)


def test_another_pixel_limit_is_another_training(tmp_path: Path) -> None:
    section = ModelSection(base="cnn")
    assert digests.train(section, "d", tmp_path, 4096) != digests.train(section, "d", tmp_path, 4097)
