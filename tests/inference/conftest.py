from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelmint.tasks.types import DecisionRule, ModelSpec


@pytest.fixture(scope="session")
def tiny_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolution, a pooling and a matrix: pixels [n, 3, 16, 16] to logits [n, 3]."""
    onnx = pytest.importorskip("onnx", reason="needs the extra 'workshop' to write a graph")
    make, tensor = onnx.helper, onnx.numpy_helper.from_array
    rng = np.random.default_rng(7)
    kernel = rng.normal(size=(8, 3, 3, 3)).astype(np.float32) * 0.3
    matrix = rng.normal(size=(8, 3)).astype(np.float32)
    nodes = [
        make.make_node("Conv", ["pixels", "kernel"], ["maps"], pads=[1, 1, 1, 1], strides=[2, 2]),
        make.make_node("Relu", ["maps"], ["positive"]),
        make.make_node("GlobalAveragePool", ["positive"], ["pooled"]),
        make.make_node("Flatten", ["pooled"], ["flat"]),
        make.make_node("MatMul", ["flat", "matrix"], ["logits"]),
    ]
    graph = make.make_graph(
        nodes,
        "tiny",
        [make.make_tensor_value_info("pixels", onnx.TensorProto.FLOAT, ["n", 3, 16, 16])],
        [make.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", 3])],
        [tensor(kernel, "kernel"), tensor(matrix, "matrix")],
    )
    path = tmp_path_factory.mktemp("graphs") / "tiny.onnx"
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture(scope="session")
def tiny_spec() -> ModelSpec:
    settings = {"image_size": 16, "channels": 3, "mean": [0.5] * 3, "std": [0.5] * 3}
    return ModelSpec("image-classification", settings, ("a", "b", "c"), DecisionRule(temperature=0.7))


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    """150 small pictures, all different."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(150):
        buffer = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(buffer, "PNG")
        found.append(buffer.getvalue())
    return found
