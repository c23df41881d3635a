"""A graph made plain after export: no stack traces or paths of the building machine, no dead weight."""

from __future__ import annotations

from typing import Any

import onnx
from onnx import helper, numpy_helper


def tidy(model: Any) -> Any:
    """``model`` (an ``onnx.ModelProto``), in place: pads folded, dead constants dropped, notes stripped."""
    _fold_pads(model.graph)
    _drop_unused(model.graph)
    strip_notes(model)
    return model


def strip_notes(model: Any) -> None:
    """Drop doc strings and metadata: exporters write local paths there, so bytes would differ by machine."""
    graph = model.graph
    parts = [model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer]
    for part in [*parts, *model.functions]:
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
        if hasattr(part, "doc_string"):
            part.doc_string = ""


def _constants(graph: Any) -> dict[str, Any]:
    found = {item.name: numpy_helper.to_array(item) for item in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            found[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    return found


def _fold_pads(graph: Any) -> None:
    """``Pad`` with zeros in front of convolutions becomes their own padding (TensorFlow's 'same')."""
    constants = _constants(graph)
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    outputs = {output.name for output in graph.output}
    for pad in [node for node in graph.node if node.op_type == "Pad"]:
        convolutions = readers.get(pad.output[0], [])
        sides = _zero_sides(pad, constants)
        fits = convolutions and all(c.op_type == "Conv" and c.input[0] == pad.output[0] for c in convolutions)
        if sides is None or not fits or pad.output[0] in outputs:
            continue
        for convolution in convolutions:
            _widen(convolution, sides)
            convolution.input[0] = pad.input[0]
        graph.node.remove(pad)


def _zero_sides(pad: Any, constants: dict[str, Any]) -> list[int] | None:
    """Padding of the spatial axes ``[begins..., ends...]``; None where the node does anything else."""
    mode = next((attribute.s for attribute in pad.attribute if attribute.name == "mode"), b"constant")
    if mode != b"constant" or len(pad.input) < 2 or pad.input[1] not in constants:
        return None
    if len(pad.input) > 3 and pad.input[3]:
        return None
    if len(pad.input) > 2 and pad.input[2]:
        value = constants.get(pad.input[2])
        if value is None or value.size != 1 or value.item() != 0:
            return None
    amounts = [int(amount) for amount in constants[pad.input[1]].tolist()]
    rank = len(amounts) // 2
    if any(amounts[:2]) or any(amounts[rank : rank + 2]) or min(amounts) < 0:
        return None
    return amounts[2:rank] + amounts[rank + 2 :]


def _widen(convolution: Any, sides: list[int]) -> None:
    given = next((attribute for attribute in convolution.attribute if attribute.name == "pads"), None)
    before = list(given.ints) if given else [0] * len(sides)
    if given:
        convolution.attribute.remove(given)
    total = [old + more for old, more in zip(before, sides, strict=True)]
    convolution.attribute.append(helper.make_attribute("pads", total))
    convolution.attribute.sort(key=lambda attribute: attribute.name)


def _drop_unused(graph: Any) -> None:
    used = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    for node in [node for node in graph.node if node.op_type == "Constant" and node.output[0] not in used]:
        graph.node.remove(node)
    for item in [item for item in graph.initializer if item.name not in used]:
        graph.initializer.remove(item)


def save(model: Any, path: Any) -> None:
    """Check and write; raises ``onnx.checker.ValidationError``."""
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
