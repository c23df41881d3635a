"""Makes the files here: small models of other frameworks on scikit-learn's digits, written by their own exporters.

``python make.py NAME`` in an environment that has NAME and its exporter (see ``README.md``); it writes ``NAME.onnx``,
and ``NAME.npy``: what ``predict_proba`` (or ``predict``) says there of the first 300 digits, float32 ``[300, 10]``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
#: Digits are learnt from row 300 on; what is held against the product is new to the model.
ROWS = 300


def xgboost(pixels: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Between 0 and 1, cut at the values themselves: a picture that is read one bit lower falls into another leaf."""
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType
    from xgboost import XGBClassifier

    unit = pixels / 255
    model = XGBClassifier(n_estimators=6, max_depth=3, tree_method="exact").fit(unit[ROWS:], digits[ROWS:])
    graph = convert_xgboost(model, initial_types=[("x", FloatTensorType([None, 64]))])
    (HERE / "xgboost.onnx").write_bytes(graph.SerializeToString())
    return model.predict_proba(unit[:ROWS])


def lightgbm(pixels: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """Classes are texts, probabilities a dictionary a row, as the exporter does unless told otherwise."""
    from lightgbm import LGBMClassifier
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    model = LGBMClassifier(n_estimators=6, num_leaves=8, verbose=-1).fit(pixels[ROWS:], digits[ROWS:].astype(str))
    graph = convert_lightgbm(model, initial_types=[("x", FloatTensorType([None, 64]))])
    (HERE / "lightgbm.onnx").write_bytes(graph.SerializeToString())
    return model.predict_proba(pixels[:ROWS])


def catboost(pixels: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """CatBoost writes ONNX itself."""
    from catboost import CatBoostClassifier

    model = CatBoostClassifier(iterations=12, depth=3, learning_rate=0.5, verbose=0, allow_writing_files=False)
    model.fit(pixels[ROWS:], digits[ROWS:])
    model.save_model(str(HERE / "catboost.onnx"), format="onnx")
    return model.predict_proba(pixels[:ROWS])


def tf2onnx(pixels: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """A SavedModel of TensorFlow, ``[n, 8, 8, 1]``, by the command line."""
    import keras

    keras.utils.set_random_seed(0)
    pictures = pixels.reshape(-1, 8, 8, 1)
    layers = [
        keras.layers.Input((8, 8, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(6, 3, activation="relu", padding="same"),
        keras.layers.BatchNormalization(),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(pictures[ROWS:], digits[ROWS:], epochs=5, batch_size=64, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="tf_saved_model", verbose=False)
        words = ["-m", "tf2onnx.convert", "--saved-model", folder, "--output", str(HERE / "tf2onnx.onnx")]
        subprocess.run([sys.executable, *words], check=True)
    return model.predict(pictures[:ROWS], verbose=0)


if __name__ == "__main__":
    table = load_digits()
    grey = np.rint(table.data * (255 / 16)).astype(np.float32)
    makers = {"xgboost": xgboost, "lightgbm": lightgbm, "catboost": catboost, "tf2onnx": tf2onnx}
    np.save(HERE / f"{sys.argv[1]}.npy", makers[sys.argv[1]](grey, table.target).astype(np.float32))
