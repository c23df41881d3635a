"""The house contract around a foreign graph: ``pixels`` float32 ``[n, c, s, s]`` in, ``logits`` float32 ``[n, k]`` out.

Wrapped once, a foreign graph needs no second path anywhere: temperature, threshold, parity, int8, serving, tensors
over the wire and explanations see the same kind of graph as from training. What is added costs little: ONNX Runtime
cancels two transposes that follow each other, and a reshape copies nothing.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import onnx
from onnx import compose, helper, numpy_helper

from modelmint.workshop.adoption.types import Ending, Foreign, InputPort, Reading
from modelmint.workshop.compression.tidy import strip_notes
from modelmint.workshop.errors import UnreadableGraph

#: In front of every name of the foreign graph, so that none can meet ours.
PREFIX = "own/"
INPUT, OUTPUT = "pixels", "logits"
#: Probabilities below are taken for this before the logarithm: -infinity has no place in an answer.
SMALLEST = 1e-30
#: The first version of the format in which constants need not be inputs as well.
_IR = 4
_DEFAULT_OPSET = 13


def wrapped(foreign: Foreign, port: InputPort, reading: Reading, ending: Ending) -> Any:
    """An ``onnx.ModelProto`` that follows the house contract; ``foreign`` stays as it is.

    Raises ``UnreadableGraph`` where ONNX's checker finds the result unsound.
    """
    model = compose.add_prefix(_bare(foreign.model), PREFIX)
    graph = model.graph
    nodes, constants = _front(PREFIX + port.name, port, reading)
    back, more = _back(PREFIX + ending.tensor, ending)
    graph.node.extend(back)
    for place, node in enumerate(nodes):
        graph.node.insert(place, node)
    graph.initializer.extend([*constants, *more])
    side = reading.image_size
    del graph.input[:], graph.output[:], graph.value_info[:]
    columns = len(ending.order) or (2 if ending.column else "labels")
    graph.input.append(_value(INPUT, ["batch", reading.channels, side, side]))
    graph.output.append(_value(OUTPUT, ["batch", columns]))
    _prune(graph)
    strip_notes(model)
    try:
        onnx.checker.check_model(model)
    except Exception as error:  # its own class, and protobuf's
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise UnreadableGraph(f"{foreign.path.name} is no sound ONNX model: {reason}. Export it again") from error
    return model


def _bare(foreign: Any) -> Any:
    """A copy with one version per operator set, and constants that are constants only."""
    model = onnx.ModelProto()
    model.CopyFrom(foreign)
    versions: dict[str, int] = {}
    for item in foreign.opset_import:
        domain = "" if item.domain == "ai.onnx" else item.domain
        versions[domain] = max(versions.get(domain, 0), item.version)
    versions.setdefault("", _DEFAULT_OPSET)
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in sorted(versions.items()))
    model.ir_version = max(model.ir_version, _IR)
    constants = {item.name for item in model.graph.initializer}
    inputs = [copy.deepcopy(item) for item in model.graph.input if item.name not in constants]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    del model.metadata_props[:]
    return model


def _front(name: str, port: InputPort, reading: Reading) -> tuple[list[Any], list[Any]]:
    """From ``pixels`` to the foreign input: colour order, axes, element type."""
    nodes: list[Any] = []
    constants: list[Any] = []
    here = INPUT

    def then(kind: str, *more: str, **attributes: Any) -> None:
        nonlocal here
        made = f"front/{len(nodes)}"
        nodes.append(helper.make_node(kind, [here, *more], [made], name=made, **attributes))
        here = made

    if reading.bgr:
        constants.append(numpy_helper.from_array(np.array([2, 1, 0], dtype=np.int64), "front/bgr"))
        then("Gather", "front/bgr", axis=1)
    if reading.layout in ("nhwc", "flat") and (reading.channels > 1 or reading.layout == "nhwc"):
        then("Transpose", perm=[0, 2, 3, 1])
    side = reading.image_size
    flat = reading.channels * side * side
    shape = {"nhw": [-1, side, side], "flat": [-1, flat], "flat-chw": [-1, flat]}.get(reading.layout)
    if shape is not None:
        constants.append(numpy_helper.from_array(np.array(shape, dtype=np.int64), "front/shape"))
        then("Reshape", "front/shape")
    if port.element == onnx.TensorProto.FLOAT:
        then("Identity")
    else:
        then("Cast", to=port.element)
    nodes[-1].output[0] = name
    return nodes, constants


def _back(name: str, ending: Ending) -> tuple[list[Any], list[Any]]:
    """From the foreign tensor to ``logits``."""
    nodes: list[Any] = []
    constants: list[Any] = []
    here = name

    def then(kind: str, *more: str, **attributes: Any) -> None:
        nonlocal here
        made = f"back/{len(nodes)}"
        nodes.append(helper.make_node(kind, [here, *more], [made], name=made, **attributes))
        here = made

    def constant(label: str, values: Any) -> str:
        constants.append(numpy_helper.from_array(values, f"back/{label}"))
        return f"back/{label}"

    then("Cast", to=onnx.TensorProto.FLOAT)
    then("Flatten", axis=1)  # [n] to [n, 1], [n, k, 1, 1] to [n, k]
    if ending.kind == "probabilities":
        if ending.column:
            # p of the second label to [1 - p, p].
            then("Mul", constant("sign", np.array([[-1, 1]], dtype=np.float32)))
            then("Add", constant("rest", np.array([[1, 0]], dtype=np.float32)))
        then("Max", constant("smallest", np.array(SMALLEST, dtype=np.float32)))
        then("Log")
    elif ending.column:
        # z of the second label against the first: the softmax of [-z/2, z/2] is [1 - sigmoid(z), sigmoid(z)].
        then("Mul", constant("halves", np.array([[-0.5, 0.5]], dtype=np.float32)))
    if ending.order:
        then("Gather", constant("order", np.array(ending.order, dtype=np.int64)), axis=1)
    nodes[-1].output[0] = OUTPUT
    return nodes, constants


def _value(name: str, shape: list[Any]) -> Any:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)


def _prune(graph: Any) -> None:
    """Drop what ``logits`` does not need: the label beside the probabilities, dictionaries, other heads."""
    wanted = {OUTPUT}
    kept = []
    for node in reversed(list(graph.node)):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= _names_read(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    for items in (graph.initializer, graph.sparse_initializer):
        for item in [
            item for item in items if (item.name if hasattr(item, "name") else item.values.name) not in wanted
        ]:
            items.remove(item)


def _names_read(node: Any) -> set[str]:
    """Tensors that a node reads, those that its inner graphs take from outside included."""
    found = set(node.input)
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs:
            for inner in graph.node:
                found |= _names_read(inner)
            found |= {output.name for output in graph.output}
    return found
