"""Files that are no models, are damaged, lie, or reach where they must not: refused, each with what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from modelmint.data.version import DatasetVersion
from modelmint.workshop.adoption.source import file_digests, open_foreign
from modelmint.workshop.errors import UnreadableGraph, UnusableGraph

from .test_graphs import SIDE, graph, linear, out, right, take


def sound(path: Path) -> Path:
    nodes, constants = linear()
    return graph(path, nodes, [out("z", "n", 2)], **constants)


def outside(path: Path, location: str, *, offset: int = 0, length: int | None = None) -> Path:
    """The sound model with its weights said to lie at ``location``."""
    model = onnx.load(str(sound(path)))
    tensor = next(item for item in model.graph.initializer if item.name == "w")
    held = tensor.raw_data
    told = {"location": location, "offset": str(offset), "length": str(len(held) if length is None else length)}
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in told.items():
        tensor.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    return path


def weights() -> bytes:
    return linear()[1]["w"].tobytes()


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99])
def test_a_file_cut_short_anywhere_is_refused(tmp_path: Path, kept: float) -> None:
    path = sound(tmp_path / "m.onnx")
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(len(content) * kept)])
    with pytest.raises(UnreadableGraph, match=r"m\.onnx"):
        open_foreign(path)


@pytest.mark.parametrize(
    "content", [b"this is a text, not a model\n" * 9, b"\x89PNG\r\n\x1a\n", b"\x80\x04\x95pickle", b"\x08\x08"]
)
def test_something_else_under_the_name_of_a_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(UnreadableGraph, match="expected an ONNX model"):
        open_foreign(path)


def test_a_missing_file_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(UnreadableGraph, match="found none"):
        open_foreign(tmp_path / "m.onnx")
    assert file_digests(tmp_path / "m.onnx") == {}


def test_weights_beside_the_model_are_taken_in_and_their_digest_counts(
    brightness: DatasetVersion, tmp_path: Path
) -> None:
    (tmp_path / "weights.bin").write_bytes(weights())
    path = outside(tmp_path / "m.onnx", "weights.bin")
    run = take(brightness, path)
    assert right(run, brightness) == 1.0
    assert sorted(run.backbone["source"]["sha256"]) == ["m.onnx", "weights.bin"]
    assert not [item for item in onnx.load(str(run.folder / "model.onnx")).graph.initializer if item.external_data]
    before = file_digests(path)
    (tmp_path / "weights.bin").write_bytes(bytes(len(weights())))
    assert file_digests(path) != before


@pytest.mark.parametrize(
    "location", ["../secret.bin", "a/../../secret.bin", "ABSOLUTE", "link.bin", "folder/secret.bin", "", "."]
)
def test_weights_outside_the_folder_of_the_model_are_never_read(tmp_path: Path, location: str) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(weights())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link.bin").symlink_to(secret)
    (folder / "folder").symlink_to(tmp_path)
    path = outside(folder / "m.onnx", str(secret) if location == "ABSOLUTE" else location)
    with pytest.raises(UnreadableGraph, match="outside its own folder"):
        open_foreign(path)


@pytest.mark.parametrize(("offset", "length"), [(8, None), (0, 2**40), (-4, None), (2**62, 4)])
def test_weights_beyond_the_end_of_their_file_are_refused(tmp_path: Path, offset: int, length: int | None) -> None:
    (tmp_path / "weights.bin").write_bytes(weights())
    with pytest.raises(UnreadableGraph, match="expects weights up to byte"):
        open_foreign(outside(tmp_path / "m.onnx", "weights.bin", offset=offset, length=length))


def test_a_constant_that_declares_two_gigabytes_and_holds_none_is_refused_unallocated(tmp_path: Path) -> None:
    path = sound(tmp_path / "m.onnx")
    model = onnx.load(str(path))
    tensor = next(item for item in model.graph.initializer if item.name == "w")
    del tensor.dims[:]
    tensor.dims.extend([2**29, 2])
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnreadableGraph, match="1,073,741,824 values and holds 512"):
        open_foreign(path)


def test_a_value_of_gigabytes_computed_from_a_few_bytes_is_refused(tmp_path: Path) -> None:
    nodes, constants = linear("y")
    nodes += [
        helper.make_node("ConstantOfShape", ["size"], ["huge"]),
        helper.make_node("ReduceSum", ["huge"], ["sum"], keepdims=0),
        helper.make_node("Add", ["y", "sum"], ["z"]),
    ]
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], size=np.array([2**20, 2**12]), **constants)
    with pytest.raises(UnreadableGraph, match="17,179,869,184 bytes"):
        open_foreign(path)


def test_an_operator_that_nobody_here_knows_is_named(brightness: DatasetVersion, tmp_path: Path) -> None:
    nodes, constants = linear("y")
    nodes.append(helper.make_node("MyTrick", ["y"], ["z"], domain="com.acme"))
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], **constants)
    model = onnx.load(str(path))
    model.opset_import.append(helper.make_opsetid("com.acme", 1))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(UnusableGraph, match="MyTrick"):
        take(brightness, path)


@pytest.mark.parametrize("opset", [1, 5, 99])
def test_an_operator_set_out_of_reach_is_refused(brightness: DatasetVersion, tmp_path: Path, opset: int) -> None:
    nodes, constants = linear()
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], opset=opset, **constants)
    with pytest.raises((UnreadableGraph, UnusableGraph), match=r"operator set|[Oo]pset"):
        take(brightness, path)


def test_a_model_that_answers_nan_is_refused_with_every_reading_tried(
    brightness: DatasetVersion, tmp_path: Path
) -> None:
    nodes, constants = linear("y")
    nodes.append(helper.make_node("Sqrt", ["negative"], ["nan"]))
    nodes.append(helper.make_node("Add", ["y", "nan"], ["z"]))
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], negative=np.float32(-1), **constants)
    with pytest.raises(UnusableGraph, match="no training picture with finite numbers") as caught:
        take(brightness, path)
    assert len(caught.value.problems) == 3  # unit, raw, signed


@pytest.mark.parametrize("columns", [5, "classes"])  # whether the graph says so, or only its answers do
def test_another_number_of_outputs_than_labels_names_both(
    brightness: DatasetVersion, tmp_path: Path, columns: int | str
) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"])]
    wide = np.ones((SIDE * SIDE, 5), dtype=np.float32)
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", columns)], w=wide)
    with pytest.raises(UnusableGraph, match="5 values a picture, the venture has 2 labels: dark, bright"):
        take(brightness, path)


def test_labels_alone_are_refused_with_how_to_export(brightness: DatasetVersion, tmp_path: Path) -> None:
    nodes, constants = linear()
    nodes.append(helper.make_node("ArgMax", ["z"], ["label"], axis=1, keepdims=0))
    path = graph(tmp_path / "m.onnx", nodes, [out("label", "n", element=TensorProto.INT64)], **constants)
    with pytest.raises(UnusableGraph, match=r"gives label tensor\(int64\) only"):
        take(brightness, path)


@pytest.mark.parametrize(
    ("shape", "keys", "message"),
    [
        (["n", 3, 20, 30], {}, "square pictures"),
        (["n", 10], {}, "square pictures"),
        (["n", 7, SIDE, SIDE], {}, "square pictures"),
        (["n", 2, 2, 2, 2], {}, "expected an input of pictures"),
        (["n", 3, None, None], {}, "any size"),
        (["n", 3, 32, 32], {"image_size": 64}, "pictures of 32 x 32"),
        (["n", 3, 32, 32], {"layout": "flat"}, "nchw or nhwc"),
        (["n", 1, 32, 32], {"scale": "imagenet"}, "for colours"),
        (["n", 1, 32, 32], {"mean": [0.1, 0.2, 0.3], "std": [1.0, 1.0, 1.0]}, "mean and std have 3 numbers"),
    ],
)
def test_an_input_that_no_picture_fits_is_refused(
    brightness: DatasetVersion, tmp_path: Path, shape: list[Any], keys: dict[str, Any], message: str
) -> None:
    nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["z"])]
    path = graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], shape=shape, w=np.ones((8, 2), dtype=np.float32))
    with pytest.raises(UnusableGraph, match=message):
        take(brightness, path, **keys)


def test_several_inputs_are_refused_by_name(brightness: DatasetVersion, tmp_path: Path) -> None:
    nodes, constants = linear()
    model = onnx.load(str(graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], **constants)))
    model.graph.input.append(helper.make_tensor_value_info("age", TensorProto.FLOAT, ["n", 1]))
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(UnusableGraph, match="has 2: x, age"):
        take(brightness, tmp_path / "m.onnx")


def test_constants_that_are_also_inputs_are_constants(brightness: DatasetVersion, tmp_path: Path) -> None:
    nodes, constants = linear()
    model = onnx.load(str(graph(tmp_path / "m.onnx", nodes, [out("z", "n", 2)], **constants)))
    for item in model.graph.initializer:  # as the first version of the format wanted it
        model.graph.input.append(helper.make_tensor_value_info(item.name, item.data_type, list(item.dims)))
    assert numpy_helper.to_array(model.graph.initializer[0]).size == 2 * SIDE * SIDE
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    assert right(take(brightness, tmp_path / "m.onnx"), brightness) == 1.0
