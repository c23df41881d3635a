"""Graphs of every kind that exporters write, and what becomes of them; small ones, written operator by operator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from modelmint.data.version import DatasetVersion
from modelmint.kit.arrays import AnyArray
from modelmint.kit.progress import Silent
from modelmint.tasks.decision import probabilities
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.adoption.trial import opened
from modelmint.workshop.errors import UnusableGraph
from modelmint.workshop.steps import adopt
from modelmint.workshop.training.run import open_run
from modelmint.workshop.training.types import TrainedRun

SIDE = 16
FLOAT = TensorProto.FLOAT


def graph(
    path: Path,
    nodes: list[Any],
    outputs: list[Any],
    *,
    shape: list[Any] | None = None,
    element: int = FLOAT,
    opset: int = 17,
    **constants: AnyArray,
) -> Path:
    """An ONNX file: ``nodes`` from the input ``x``, flat pictures unless ``shape`` says otherwise."""
    source = helper.make_tensor_value_info("x", element, shape or ["n", SIDE * SIDE])
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    sets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    made = helper.make_model(helper.make_graph(nodes, "g", [source], outputs, held), opset_imports=sets, ir_version=9)
    path.write_bytes(made.SerializeToString())
    return path


def out(name: str, *shape: Any, element: int = FLOAT) -> Any:
    return helper.make_tensor_value_info(name, element, list(shape))


def brightness_weights(columns: int = 2) -> AnyArray:
    """``[pixels, columns]``: the mean brightness in 0..1 counts for the last column, and against the first."""
    weights = np.full((SIDE * SIDE, columns), 20 / SIDE**2, dtype=np.float32)
    if columns == 2:
        weights[:, 0] *= -1
    return weights


def linear(into: str = "z", columns: int = 2) -> tuple[list[Any], dict[str, AnyArray]]:
    """``x`` (flat, 0..1) to logits that tell dark from bright at mid grey."""
    nodes = [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Add", ["m", "b"], [into])]
    bias = np.array([10.0, -10.0] if columns == 2 else [-10.0], dtype=np.float32)
    return nodes, {"w": brightness_weights(columns), "b": bias}


def take(data: DatasetVersion, path: Path, **keys: Any) -> TrainedRun:
    section = ModelSection(base=path.name, **keys)
    return adopt.run(adopt.AdoptInputs(data, section, path.parent, 10**6), path.parent / "run", Silent())


def told(run: TrainedRun, data: DatasetVersion) -> AnyArray:
    """Probabilities of the validation pictures by the wrapped graph."""
    from modelmint.tasks.registry import TASKS

    encoded = TASKS.get(run.spec.task).encode(data.payloads("val"), run.spec.settings)
    engine = opened(onnx.load(str(run.folder / "model.onnx")))
    return probabilities(engine.run(encoded))


def right(run: TrainedRun, data: DatasetVersion) -> float:
    return float((told(run, data).argmax(axis=1) == data.targets("val")).mean())


def test_the_wrapped_graph_has_the_house_contract_whatever_the_foreign_one_calls_things(
    brightness: DatasetVersion, tmp_path: Path
) -> None:
    nodes, constants = linear("pixels")  # the names of our own input and output, used for other things
    nodes.append(helper.make_node("Identity", ["pixels"], ["logits"]))
    run = take(brightness, graph(tmp_path / "m.onnx", nodes, [out("logits", "n", 2)], **constants))
    model = onnx.load(str(run.folder / "model.onnx"))
    (source,), (target,) = model.graph.input, model.graph.output
    assert (source.name, target.name) == ("pixels", "logits")
    sides = [side.dim_value or side.dim_param for side in source.type.tensor_type.shape.dim]
    assert sides == ["batch", 1, SIDE, SIDE]
    assert right(run, brightness) == 1.0
    assert run.spec.settings["mean"] == [0.0]
    assert open_run(run.folder).digest == run.digest


@pytest.mark.parametrize(
    ("last", "columns", "keys"),
    [
        (["Softmax"], 2, {}),
        (["LogSoftmax"], 2, {}),
        ([], 2, {}),
        ([], 1, {}),
        (["Sigmoid"], 1, {}),
        (["Sigmoid", "Identity"], 1, {"output": "probabilities"}),
        (["Softmax", "Identity", "Abs"], 2, {}),  # probabilities by their values alone
        (["Sigmoid", "Abs"], 1, {}),
    ],
)
def test_every_kind_of_output_becomes_the_same_probabilities(
    brightness: DatasetVersion, tmp_path: Path, last: list[str], columns: int, keys: dict[str, Any]
) -> None:
    nodes, constants = linear("y0", columns)
    for place, kind in enumerate(last):
        nodes.append(helper.make_node(kind, [f"y{place}"], [f"y{place + 1}"]))
    path = graph(tmp_path / "m.onnx", nodes, [out(f"y{len(last)}", "n", columns)], **constants)
    run = take(brightness, path, scale="unit", **keys)
    flat = np.stack([picture.ravel() for picture in _pixels(brightness)]).astype(np.float64) / 255
    logits = flat @ constants["w"] + constants["b"]
    expected = probabilities(logits if columns == 2 else np.concatenate([0 * logits, logits], axis=1))
    assert np.abs(told(run, brightness) - expected).max() < 1e-5


def _pixels(data: DatasetVersion) -> AnyArray:
    from .made import pixels

    return pixels(data, "val")


def test_one_decision_a_label_is_divided_by_their_sum_and_said_so(brightness: DatasetVersion, tmp_path: Path) -> None:
    nodes, constants = linear()
    constants["b"] = np.array([11, -9], dtype=np.float32)
    nodes.append(helper.make_node("Sigmoid", ["z"], ["p"]))
    run = take(brightness, graph(tmp_path / "m.onnx", nodes, [out("p", "n", 2)], **constants), scale="unit")
    assert right(run, brightness) == 1.0
    assert any("do not sum to 1" in note for note in run.notes)


@pytest.mark.parametrize(
    ("shape", "front", "layout"),
    [
        (["n", 1, SIDE, SIDE], None, "nchw"),
        (["n", SIDE, SIDE, 1], None, "nhwc"),
        (["n", SIDE, SIDE], None, "nhw"),
        (["n", SIDE * SIDE], None, "flat"),
        (["n", 3, SIDE, SIDE], None, "nchw"),
        (["n", SIDE * SIDE * 3], None, "flat"),
        ([None, None, None, 3], 16, "nhwc"),
    ],
)
def test_every_layout_is_found_from_the_shape_of_the_input(
    brightness: DatasetVersion, tmp_path: Path, shape: list[Any], front: int | None, layout: str
) -> None:
    count = 3 if 3 in shape or SIDE * SIDE * 3 in shape else 1
    weights = np.tile(brightness_weights() / count, (count, 1)).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"], axis=1),
        helper.make_node("MatMul", ["f", "w"], ["m"]),
        helper.make_node("Add", ["m", "b"], ["z"]),
    ]
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], shape=shape, w=weights,
                 b=np.array([10, -10], dtype=np.float32))  # fmt: skip
    run = take(brightness, path, **({"image_size": front} if front else {}))
    assert run.backbone["source"]["reading"]["layout"] == layout
    assert run.backbone["source"]["reading"]["scale"] == "unit"
    assert right(run, brightness) == 1.0


@pytest.mark.parametrize("element", [TensorProto.UINT8, TensorProto.INT32, TensorProto.DOUBLE, TensorProto.FLOAT16])
def test_every_element_type_of_the_input_is_served(brightness: DatasetVersion, tmp_path: Path, element: int) -> None:
    nodes, constants = linear()
    nodes = [helper.make_node("Cast", ["x"], ["c"], to=FLOAT), helper.make_node("Mul", ["c", "s"], ["u"]), *nodes]
    nodes[2].input[0] = "u"
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], element=element, s=np.float32(1 / 255), **constants)
    run = take(brightness, path)
    assert run.backbone["source"]["reading"]["scale"] == "raw"
    assert right(run, brightness) == 1.0


@pytest.mark.parametrize("batch", [1, 32])
def test_a_graph_made_for_one_batch_size_takes_any(brightness: DatasetVersion, tmp_path: Path, batch: int) -> None:
    nodes, constants = linear()
    nodes = [helper.make_node("Reshape", ["x", "to"], ["f"]), *nodes]
    nodes[1].input[0] = "f"
    path = graph(tmp_path / "m.onnx", nodes, [out("z", batch, 2)], shape=[batch, SIDE, SIDE, 1],
                 to=np.array([batch, SIDE * SIDE]), **constants)  # fmt: skip
    assert right(take(brightness, path), brightness) == 1.0


def test_a_batch_size_that_cannot_be_freed_is_refused_with_what_to_do(
    brightness: DatasetVersion, tmp_path: Path
) -> None:
    nodes, constants = linear("y")
    nodes.append(helper.make_node("Add", ["y", "per_row"], ["z"]))  # another number for each row of the batch
    rows = np.arange(64, dtype=np.float32).reshape(32, 2)
    path = graph(tmp_path / "m.onnx", nodes, [out("z", 32, 2)], shape=[32, SIDE * SIDE], per_row=rows, **constants)
    with pytest.raises(UnusableGraph, match="batch"):
        take(brightness, path)


def test_a_graph_that_mixes_the_pictures_of_a_batch_is_refused(brightness: DatasetVersion, tmp_path: Path) -> None:
    nodes, constants = linear("y")
    nodes += [
        helper.make_node("ReduceMean", ["y"], ["mean"], axes=[0], keepdims=1),  # as batch normalisation in training
        helper.make_node("Sub", ["y", "mean"], ["z"]),
    ]
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], **constants)
    with pytest.raises(UnusableGraph, match="mixes the pictures of a batch"):
        take(brightness, path)


def test_of_several_outputs_the_one_with_a_column_a_label_counts_and_the_rest_is_dropped(
    brightness: DatasetVersion, tmp_path: Path
) -> None:
    nodes, constants = linear()
    nodes += [
        helper.make_node("ArgMax", ["z"], ["label"], axis=1, keepdims=0),
        helper.make_node("MatMul", ["x", "features"], ["embedding"]),
    ]
    outputs = [out("label", "n", element=TensorProto.INT64), out("embedding", "n", 5), out("z", "n", 2)]
    wide = np.ones((SIDE * SIDE, 5), dtype=np.float32)
    path = graph(tmp_path / "m.onnx", nodes, outputs, features=wide, **constants)
    run = take(brightness, path)
    model = onnx.load(str(run.folder / "model.onnx"))
    assert "ArgMax" not in {node.op_type for node in model.graph.node}
    assert not any("features" in item.name for item in model.graph.initializer)
    assert right(run, brightness) == 1.0


def test_two_outputs_that_could_both_be_meant_are_told_apart_by_name(
    brightness: DatasetVersion, tmp_path: Path
) -> None:
    nodes, constants = linear("first")
    nodes.append(helper.make_node("Neg", ["first"], ["second"]))
    path = graph(tmp_path / "m.onnx", nodes, [out("first", "n", 2), out("second", "n", 2)], **constants)
    with pytest.raises(UnusableGraph, match='output_name = "first"'):
        take(brightness, path)
    assert right(take(brightness, path, output_name="first"), brightness) == 1.0
    with pytest.raises(UnusableGraph, match="'third': expected an output of floats, first, second"):
        take(brightness, path, output_name="third")


def test_inner_graphs_keep_reading_what_lies_outside_them(brightness: DatasetVersion, tmp_path: Path) -> None:
    nodes, constants = linear("y")
    branches = {
        f"{word}_branch": helper.make_graph(
            [helper.make_node("Identity", ["y"], [word])], word, [], [out(word, "n", 2)]
        )
        for word in ("then", "else")
    }
    nodes.append(helper.make_node("If", ["yes"], ["z"], **branches))
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], yes=np.array(True), **constants)
    assert right(take(brightness, path), brightness) == 1.0


def test_a_wrong_order_of_labels_is_seen_and_the_right_one_is_named(brightness: DatasetVersion, tmp_path: Path) -> None:
    nodes, constants = linear("y")
    nodes.append(helper.make_node("Neg", ["y"], ["z"]))
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], **constants)
    run = take(brightness, path, scale="unit")
    assert any("no better than guessing" in note for note in run.notes)
    assert any("data.labels = ['bright', 'dark']" in note for note in run.notes)


def test_a_stated_scale_that_ruins_the_model_is_followed_and_the_better_one_is_named(
    brightness: DatasetVersion, tmp_path: Path
) -> None:
    nodes, constants = linear()
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], **constants)
    run = take(brightness, path, scale="raw")
    assert run.backbone["source"]["reading"]["scale"] == "raw"
    assert any("no better than guessing" in note for note in run.notes)
    better = [note for note in run.notes if "fits far better" in note]
    assert 'scale = "unit"' in better[0]
    assert "1.000" in better[0]


def test_stated_mean_and_std_are_used_as_they_are(brightness: DatasetVersion, tmp_path: Path) -> None:
    nodes, constants = linear()
    constants["b"] = np.zeros(2, dtype=np.float32)
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], **constants)
    run = take(brightness, path, mean=[0.5], std=[0.25])
    assert (run.spec.settings["mean"], run.spec.settings["std"]) == ([0.5], [0.25])
    assert right(run, brightness) == 1.0
    assert run.notes == ()
