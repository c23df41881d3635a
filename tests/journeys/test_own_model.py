"""A model from scikit-learn: imported, judged, priced, served, sold; the answers are those it gave at home."""

from __future__ import annotations

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

from modelmint.bootstrap import open_shop
from modelmint.cli.demo.calls import Caller
from modelmint.releases.bundle import Release

from .test_cli_serve import serving

pytestmark = pytest.mark.timeout(1800)


def typed(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "modelmint", "-C", str(root), "--json", *words]
    return subprocess.run(line, capture_output=True, text=True)


@pytest.fixture(scope="module")
def forest() -> RandomForestClassifier:
    table = load_digits()
    grey = np.rint(table.data * (255 / 16)).astype(np.float32)
    return RandomForestClassifier(16, max_depth=8, random_state=0).fit(grey, table.target)


@pytest.fixture(scope="module")
def file(forest: RandomForestClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elsewhere") / "forest.onnx"
    path.write_bytes(to_onnx(forest, np.zeros((1, 64), dtype=np.float32)).SerializeToString())
    return path


def png(row: np.ndarray) -> bytes:
    buffer = BytesIO()
    Image.fromarray(row.reshape(8, 8).astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_model_from_scikit_learn_is_imported_sold_and_answers_a_paid_call_as_it_did_at_home(
    forest: RandomForestClassifier, file: Path, tmp_path: Path
) -> None:
    root = tmp_path / "digits"
    root.mkdir()
    done = typed(root, "releases", "import", str(file), "--data", "sklearn:digits", "--licence", "BSD-3-Clause")
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout)
    rows = {(one["name"], one["engine"]): one for one in report["candidates"]}
    assert rows["onnx-fp32", "onnxruntime"]["chosen"]
    assert "torch-fp32" not in {name for name, _ in rows}
    assert "no operator of this graph can compute with 8-bit numbers" in rows["int8", "onnxruntime"]["rejected"]
    assert all(gate["passed"] for gate in report["gates"])
    assert report["cost"]["calls_per_second"] > 0

    release = Release.open(Path(report["release"]["path"]))
    source = release.manifest.lineage["models"]["digits"]["weights_source"]
    assert (source["file"], source["reading"]["scale"]) == ("forest.onnx", "raw")
    assert release.manifest.licences["weights of digits"] == "BSD-3-Clause"
    temperature = release.spec().decision.temperature

    with open_shop(root) as shop:
        customer = shop.books.add_customer("Clinic South", "")
        shop.books.subscribe(customer.id, "payg")
        _, secret = shop.books.add_key(customer.id, "default")
    grey = np.rint(load_digits().data[7] * (255 / 16)).astype(np.float32)
    with serving(root, "--workers", "1") as (process, told):
        reply = Caller(told["url"], "digits", secret).call(png(grey))
        process.terminate()
        assert process.wait(60) == 0
    assert reply.status == 200
    home = forest.predict_proba(grey[None])[0]
    calibrated = np.maximum(home, 1e-30) ** (1 / temperature)
    found = [reply.body["probabilities"][str(digit)] for digit in range(10)]
    np.testing.assert_allclose(found, calibrated / calibrated.sum(), atol=1e-5)
    assert reply.body["label"] == str(home.argmax())
    with open_shop(root) as shop:
        assert [row.status for row in shop.books.outcomes()].count(200) == 1


def test_without_labelled_pictures_nothing_is_released_and_nothing_written(file: Path, tmp_path: Path) -> None:
    done = typed(tmp_path, "releases", "import", str(file))
    assert done.returncode == 2
    assert "--data" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_or_a_file_that_would_make_the_venture_invalid_leaves_it_as_it_was(
    file: Path, tmp_path: Path
) -> None:
    text = '[venture]\nname = "a"\n\n[data]\nsource = "sklearn:digits"\n\n[model]\nbase = "cnn"\nepochs = 2\n'
    (tmp_path / "venture.toml").write_text(text)
    (tmp_path / "cut.onnx").write_bytes(file.read_bytes()[:1000])
    for words, told in (
        ((str(tmp_path / "cut.onnx"),), "cut short"),
        ((str(file), "--layout", "sideways"), "layout"),
        ((str(file), "--data", "elsewhere"), "names its data already"),
        ((str(file), "--trust", "x"), "signed by nobody"),
    ):
        done = typed(tmp_path, "releases", "import", *words)
        assert done.returncode == 2, (words, done.stdout, done.stderr)
        assert told in done.stdout
    assert (tmp_path / "venture.toml").read_text() == text
    assert not (tmp_path / "models").exists()
