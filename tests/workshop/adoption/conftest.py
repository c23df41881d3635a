"""Labelled pictures, and models of other frameworks made by their own exporters."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from modelmint.data.version import DatasetVersion
from modelmint.testing.pictures import picture
from modelmint.venture.sections.data import DataSection
from modelmint.workshop.steps import prepare

from .made import Made, pixels

#: Keras in a process of its own: with its torch backend it changes torch for everybody else.
_KERAS = """
import sys
import numpy as np
import keras

keras.utils.set_random_seed(0)
held = np.load(sys.argv[1])
model = keras.Sequential([
    keras.layers.Input((8, 8, 1)),
    keras.layers.Rescaling(1 / 255),
    keras.layers.Conv2D(8, 3, activation="relu", padding="same"),
    keras.layers.MaxPooling2D(),
    keras.layers.Flatten(),
    keras.layers.Dense(10, activation="softmax"),
])
model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
model.fit(held["train"].astype("float32")[..., None], held["targets"], epochs=3, batch_size=64, verbose=0)
model.export(sys.argv[2], format="onnx", verbose=False)
np.save(sys.argv[3], model.predict(held["val"].astype("float32")[..., None], verbose=0))
"""


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> DatasetVersion:
    folder = tmp_path_factory.mktemp("digits")
    prepare.run(DataSection(source="sklearn:digits"), folder, folder / "dataset")
    return DatasetVersion.open(folder / "dataset")


@pytest.fixture(scope="session")
def brightness(tmp_path_factory: pytest.TempPathFactory) -> DatasetVersion:
    """Grey pictures of 16 x 16: ``dark`` ones below 128, ``bright`` ones above."""
    root = tmp_path_factory.mktemp("brightness")
    for label, levels in (("dark", range(20, 100, 2)), ("bright", range(156, 236, 2))):
        (root / "pictures" / label).mkdir(parents=True)
        for row, level in enumerate(levels):
            (root / "pictures" / label / f"{row}.png").write_bytes(picture(level, seed=row))
    prepare.run(DataSection(source="pictures", labels=["dark", "bright"], positive="bright"), root, root / "dataset")
    return DatasetVersion.open(root / "dataset")


@pytest.fixture(scope="session")
def keras_model(digits: DatasetVersion, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """NHWC, raw pixels in, rescaled inside the graph; exported by Keras."""
    folder = tmp_path_factory.mktemp("keras")
    np.savez(
        folder / "data.npz", train=pixels(digits, "train"), targets=digits.targets("train"), val=pixels(digits, "val")
    )
    script, graph, said = folder / "make.py", folder / "keras.onnx", folder / "said.npy"
    script.write_text(_KERAS)
    line = [sys.executable, str(script), str(folder / "data.npz"), str(graph), str(said)]
    done = subprocess.run(line, env={**os.environ, "KERAS_BACKEND": "torch"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return Made(graph, np.load(said))
