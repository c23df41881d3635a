"""A graph made for one batch size, made to take any."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import numpy_helper

from modelmint.workshop.adoption.types import InputPort


def freed(model: Any, port: InputPort) -> Any:
    """``model`` (wrapped, in place) without the batch size that ``port`` fixes: reshapes that name it take any.

    A reshape ``[batch, ...]`` gets -1 where it has none yet, else 0 (as the side was). Whether that is all that
    depended on the size shows when it is run: see ``proof``.
    """
    if port.batch is None:
        return model
    graph = model.graph
    constants = {item.name: item for item in graph.initializer}
    values = {
        node.output[0]: attribute.t
        for node in graph.node
        if node.op_type == "Constant"
        for attribute in node.attribute
        if attribute.name == "value"
    }
    for number, node in enumerate(node for node in graph.node if node.op_type == "Reshape" and len(node.input) > 1):
        held = constants.get(node.input[1], values.get(node.input[1]))
        if held is None:
            continue
        shape = numpy_helper.to_array(held).astype(np.int64)
        if shape.ndim != 1 or len(shape) == 0 or shape[0] != port.batch:
            continue
        shape[0] = 0 if -1 in shape[1:] else -1
        name = f"batch/shape{number}"
        graph.initializer.append(numpy_helper.from_array(shape, name))
        node.input[1] = name
    return model
