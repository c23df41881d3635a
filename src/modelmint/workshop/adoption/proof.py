"""The wrapped graph held against the untouched one, on real pictures: the same probabilities, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper

from modelmint.inference.types import Engine
from modelmint.kit.arrays import AnyArray, Float64Array, FloatArray
from modelmint.tasks.decision import probabilities
from modelmint.workshop.adoption.types import Ending, Foreign, InputPort, OutputPort, Reading
from modelmint.workshop.errors import UnusableGraph

#: Largest difference of a probability between the untouched graph and the wrapped one.
TOLERANCE = 1e-5
#: The same where the graph computes in half precision, whose own rounding is that coarse.
HALF_TOLERANCE = 5e-3
_HALVES = frozenset({onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16})


def as_foreign(encoded: AnyArray, reading: Reading, element: int) -> AnyArray:
    """Encoded pictures ``[n, c, s, s]`` as the untouched graph takes them: order of colours, axes, element type."""
    found = encoded[:, ::-1] if reading.bgr else encoded
    if reading.layout in ("nhwc", "flat"):
        found = found.transpose(0, 2, 3, 1)
    if reading.layout == "nhw":
        found = found[:, 0]
    if reading.layout.startswith("flat"):
        found = found.reshape(len(found), -1)
    return np.ascontiguousarray(found, dtype=helper.tensor_dtype_to_np_dtype(element))


def untouched(foreign: Foreign, port: InputPort, output: OutputPort, fed: AnyArray) -> Float64Array:
    """What the graph as it was found gives for ``fed``, ``[n, k]``; dictionaries of a ZipMap become columns."""
    import onnxruntime

    content = foreign.model.SerializeToString()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    name = _graph_output(foreign, output)
    size = port.batch or len(fed)
    parts = []
    for start in range(0, len(fed), size):
        rows = fed[start : start + size]
        padded = np.concatenate([rows, np.repeat(rows[-1:], size - len(rows), axis=0)])
        (found,) = session.run([name], {port.name: padded})
        if isinstance(found, list):
            found = np.array([list(row.values()) for row in found])
        parts.append(np.asarray(found, dtype=np.float64)[: len(rows)])
    table = np.concatenate(parts)
    return table.reshape(len(table), -1)


def _graph_output(foreign: Foreign, output: OutputPort) -> str:
    """The graph's own output that shows ``output``: itself, or the ZipMap over it."""
    for node in foreign.model.graph.node:
        if node.op_type == "ZipMap" and node.input[0] == output.name:
            return str(node.output[0])
    return output.name


def expected(raw: Float64Array, ending: Ending) -> Float64Array:
    """Probabilities ``[n, labels]`` that the untouched outputs mean."""
    table = raw
    if ending.kind == "logits" and not ending.peeled:
        table = np.concatenate([np.zeros_like(raw), raw], axis=1) if ending.column else raw
        table = probabilities(table)
    elif ending.column:
        table = np.concatenate([1 - raw, raw], axis=1)
    found: Float64Array = table / table.sum(axis=1, keepdims=True)
    return found[:, list(ending.order)] if ending.order else found


def prove(foreign: Foreign, wanted: Float64Array, logits: FloatArray) -> float:
    """The largest difference of a probability; raises ``UnusableGraph`` where it is beyond rounding."""
    found = float(np.abs(wanted - probabilities(logits)).max())
    allowed = HALF_TOLERANCE if is_half(foreign) else TOLERANCE
    if not found <= allowed:
        raise UnusableGraph(
            f"the graph cannot be taken over faithfully: wrapped, its probabilities differ by {found:.2g} on training "
            f"pictures, at most {allowed:g} is allowed. Do: export it so that it gives logits or probabilities "
            "[n, labels]"
        )
    return found


def rows_apart(engine: Engine, encoded: AnyArray, logits: FloatArray) -> None:
    """Raises ``UnusableGraph`` where a picture is answered otherwise alone than among others."""
    alone = np.concatenate([engine.run(encoded[place : place + 1]) for place in range(len(encoded))])
    found = float(np.abs(probabilities(alone) - probabilities(logits)).max())
    if not found <= 1e-3:
        raise UnusableGraph(
            f"the graph mixes the pictures of a batch: alone and among {len(encoded)}, probabilities differ by "
            f"{found:.2g}. Do: export it for inference, not for training"
        )


def is_half(foreign: Foreign) -> bool:
    """Whether the graph's weights or ports are 16-bit floats."""
    graph = foreign.model.graph
    types = {item.data_type for item in graph.initializer}
    types |= {item.type.tensor_type.elem_type for item in [*graph.input, *graph.output]}
    return bool(types & _HALVES)


def precision(foreign: Foreign) -> str:
    """``int8`` where the graph is quantised already, else the float type that holds most of its weights."""
    graph = foreign.model.graph
    if any(node.op_type in ("QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv") for node in graph.node):
        return "int8"
    sizes: dict[str, int] = {}
    for item in graph.initializer:
        name = {1: "float32", 10: "float16", 11: "float64", 16: "bfloat16"}.get(item.data_type)
        if name is not None:
            sizes[name] = sizes.get(name, 0) + int(np.prod(item.dims))
    return max(sizes, key=lambda name: sizes[name]) if sizes else "float32"


def facts(model: Any) -> dict[str, Any]:
    """Producer, operator sets and version of the format, as they stand in the file.

    Of the producer what is a line: CatBoost puts the log of its own build where a version belongs.
    """
    made_by = (model.producer_name, model.producer_version)
    return {
        "producer": " ".join(part for part in made_by if len(part.splitlines()) == 1) or "not stated",
        "opset": {item.domain or "ai.onnx": item.version for item in model.opset_import},
        "ir_version": model.ir_version,
    }
