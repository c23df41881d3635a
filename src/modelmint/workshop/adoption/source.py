"""An ONNX file from anywhere, opened with care: nothing outside its folder is read, nothing in it is run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import external_data_helper

from modelmint.kit.digest import digest_file
from modelmint.workshop.adoption.types import Foreign
from modelmint.workshop.errors import UnreadableGraph

#: What one protobuf message may hold (and ONNX Runtime reads), in bytes.
LARGEST = 2**31 - 1
#: A single value computed by the graph for one picture may be so large; larger ones are mistakes or attacks.
LARGEST_VALUE = 2**30
#: Older operator sets lack broadcasting as the wrapping needs it.
OLDEST_OPSET = 8
_AGAIN = "Export the model again"


def open_foreign(path: Path) -> Foreign:
    """Read the model at ``path`` with the weights that lie in files beside it.

    Raises ``UnreadableGraph``: no file, no ONNX, cut short, too large, an operator set that is too old, weights that
    lie outside the model's folder or are not as long as they are declared.
    """
    if not path.is_file():
        raise UnreadableGraph(f"expected an ONNX file at {path}, found none. Do: put it there, or mend base")
    if path.stat().st_size > LARGEST:
        raise UnreadableGraph(f"expected an ONNX file of at most {LARGEST:,} bytes, {path.name} is larger")
    model = _parsed(path)
    outside = _all_outside(model, path)
    if sum(file.stat().st_size for file in outside) + path.stat().st_size > LARGEST:
        raise UnreadableGraph(f"{path.name} and its weights are larger than {LARGEST:,} bytes, which no graph may be")
    _take_in(model, path)
    _check(model, path)
    return Foreign(path, model, _digests(path, outside))


def file_digests(path: Path) -> dict[str, str]:
    """sha256 of the file and of the weights beside it, as in ``Foreign.files``; {} where there is no file.

    What is wrong with them is told by the step that opens them.
    """
    if not path.is_file():
        return {}
    try:
        return _digests(path, _all_outside(_parsed(path), path))
    except UnreadableGraph:
        return _digests(path, set())


def _all_outside(model: Any, path: Path) -> set[Path]:
    """Files of weights beside the model; raises ``UnreadableGraph`` where one lies elsewhere."""
    return {_outside(tensor, path) for tensor in tensors(model) if external_data_helper.uses_external_data(tensor)}


def _digests(path: Path, outside: set[Path]) -> dict[str, str]:
    folder = path.parent.resolve()
    beside = {file.relative_to(folder).as_posix(): digest_file(file) for file in sorted(outside)}
    return {path.name: digest_file(path)} | beside


def _parsed(path: Path) -> Any:
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf raises several kinds on what it cannot parse
        raise UnreadableGraph(
            f"expected an ONNX model, {path.name} cannot be read as one (it is cut short, or something else). "
            f"{_AGAIN}, or copy it again"
        ) from error
    if not model.graph.node or not model.opset_import:
        raise UnreadableGraph(f"expected an ONNX model, found no operator in {path.name}. {_AGAIN}")
    return model


def tensors(model: Any) -> Iterator[Any]:
    """Every constant of the model: initializers and attributes, those of inner graphs and functions included."""
    yield from _tensors_of(model.graph)
    for function in model.functions:
        yield from _tensors_in(function.node)


def _tensors_of(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _tensors_in(graph.node)


def _tensors_in(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for graph in [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs:
                yield from _tensors_of(graph)


def _outside(tensor: Any, path: Path) -> Path:
    """The file that holds ``tensor``; it must lie in the model's folder, whatever links lead there."""
    told = {entry.key: entry.value for entry in tensor.external_data}
    folder, location = path.parent.resolve(), str(told.get("location", ""))
    file: Path = (folder / location).resolve()
    if not location or not file.is_relative_to(folder) or file == folder:
        raise UnreadableGraph(
            f"{path.name} keeps weights at {location!r}, outside its own folder, where nothing is read. {_AGAIN} with "
            "its weights inside or beside it"
        )
    if not file.is_file():
        raise UnreadableGraph(f"{path.name} keeps weights in {location!r}, and there is no such file beside it")
    size = file.stat().st_size
    try:
        start, length = int(told.get("offset", 0)), int(told.get("length", size))
    except ValueError:
        start, length = -1, 0
    if start < 0 or length < 0 or start + length > size:
        raise UnreadableGraph(
            f"{path.name} expects weights up to byte {start + length:,} of {location}, which has {size:,}; copy both "
            "again"
        )
    return file


def _take_in(model: Any, path: Path) -> None:
    try:
        for tensor in tensors(model):
            if external_data_helper.uses_external_data(tensor):
                external_data_helper.load_external_data_for_tensor(tensor, str(path.parent.resolve()))
                tensor.data_location = onnx.TensorProto.DEFAULT
                del tensor.external_data[:]
    except Exception as error:  # onnx raises several kinds
        raise UnreadableGraph(f"the weights beside {path.name} cannot be read: {error}") from error


def _check(model: Any, path: Path) -> None:
    for tensor in tensors(model):
        _is_whole(tensor, path)
    versions = [item.version for item in model.opset_import if item.domain in ("", "ai.onnx")]
    if versions and max(versions) < OLDEST_OPSET:
        raise UnreadableGraph(
            f"{path.name} uses operator set {max(versions)}, expected at least {OLDEST_OPSET}. {_AGAIN} with a newer "
            "one"
        )
    _sizes(model, path)


def _is_whole(tensor: Any, path: Path) -> None:
    """A tensor must hold what its sides declare, before anybody allocates by what it declares."""
    expected = math.prod(tensor.dims)
    if tensor.data_type == onnx.TensorProto.STRING or not tensor.HasField("raw_data"):
        held = max(len(tensor.float_data), len(tensor.int32_data), len(tensor.int64_data), len(tensor.string_data),
                   len(tensor.double_data), len(tensor.uint64_data))  # fmt: skip
        packed = tensor.data_type not in _BYTES and held > 0  # 4-bit and complex numbers share their fields
        fits = packed or held == expected
    else:
        size = _BYTES.get(tensor.data_type)
        held = len(tensor.raw_data) // (size or 1)
        fits = size is None or len(tensor.raw_data) == expected * size
    if not fits or min(tensor.dims, default=0) < 0:
        raise UnreadableGraph(
            f"{path.name} declares a constant {tensor.name!r} of {expected:,} values and holds {held:,}: it is cut "
            f"short or damaged. {_AGAIN}, or copy it again"
        )


def _sizes(model: Any, path: Path) -> None:
    """No value that the graph computes may be absurdly large; sides that stay open count as 1."""
    try:
        known = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception:  # it is strict about little and fails on some sound graphs; the engine has the last word
        return
    for value in known.graph.value_info:
        kind = value.type.tensor_type
        size = math.prod(side.dim_value for side in kind.shape.dim if side.dim_value > 0) * _BYTES.get(
            kind.elem_type, 1
        )
        if size > LARGEST_VALUE:
            raise UnreadableGraph(
                f"{path.name} computes a value of {size:,} bytes ({value.name!r}) for one picture; at most "
                f"{LARGEST_VALUE:,} is allowed"
            )


_T = onnx.TensorProto
#: Bytes of one element, for the types that are whole bytes.
_BYTES = {
    _T.FLOAT: 4, _T.UINT8: 1, _T.INT8: 1, _T.UINT16: 2, _T.INT16: 2, _T.INT32: 4, _T.INT64: 8, _T.BOOL: 1,
    _T.FLOAT16: 2, _T.DOUBLE: 8, _T.UINT32: 4, _T.UINT64: 8, _T.BFLOAT16: 2, _T.STRING: 1,
}  # fmt: skip
