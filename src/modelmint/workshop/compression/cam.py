"""Class-activation maps written into a graph: which places of the last feature map speak for which label.

Zhou et al. 2016, "Learning Deep Features for Discriminative Localization". Where a network ends in a global average
over a feature map ``f [n, c, h, w]`` and one linear layer ``w [labels, c]``, a logit is the mean over all places of
``sum_c w[label, c] f[n, c, y, x]``, plus a bias. That sum is the map: exact, and at the price of one small product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from modelmint.inference.engines.ports import CAM, CAM_NODES, LOGITS

#: A coarser map says too little; occlusion then does better.
SMALLEST = 7
#: Names of all nodes of the map begin so: a recipe step leaves them in float32, an engine leaves them out.
PREFIX = CAM_NODES
_RESHAPERS = frozenset({"Flatten", "Reshape", "Squeeze", "Identity", "Dropout"})


@dataclass(frozen=True, slots=True)
class _Ending:
    """The end of a network: a feature map, its mean, a linear layer."""

    features: str
    channels: int
    height: int
    width: int
    weights: str
    #: Weights stand as ``[labels, channels]``, not ``[channels, labels]``.
    by_label: bool
    labels: int


def add_cam(model: Any) -> bool:
    """Give ``model`` (an ``onnx.ModelProto``), in place, the output ``cam [n, labels, h, w]``; False where it cannot.

    It can where the output ``logits`` is one linear layer over the global average of a feature map of at least 7 x 7.
    Nothing that computes ``logits`` is touched.
    """
    ending = _ending_of(model)
    if ending is None:
        return False
    places = ending.height * ending.width
    shapes = {"rows": [0, ending.channels, places], "back": [0, ending.labels, ending.height, ending.width]}
    graph = model.graph
    for name, shape in shapes.items():
        graph.initializer.append(numpy_helper.from_array(np.asarray(shape, dtype=np.int64), PREFIX + name))
    weights = ending.weights
    if not ending.by_label:
        weights = PREFIX + "weights"
        graph.node.append(_node("Transpose", [ending.weights], weights, perm=[1, 0]))
    graph.node.extend(
        [
            _node("Reshape", [ending.features, PREFIX + "rows"], PREFIX + "features"),
            _node("MatMul", [weights, PREFIX + "features"], PREFIX + "places"),
            _node("Reshape", [PREFIX + "places", PREFIX + "back"], CAM),
        ]
    )
    batch = graph.output[0].type.tensor_type.shape.dim[0]
    sides = [batch.dim_param or batch.dim_value or "batch", ending.labels, ending.height, ending.width]
    graph.output.append(helper.make_tensor_value_info(CAM, TensorProto.FLOAT, sides))
    return True


def _node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    name = output if output.startswith(PREFIX) else PREFIX + output
    return helper.make_node(kind, inputs, [output], name=name, **attributes)


def _ending_of(model: Any) -> _Ending | None:
    graph = model.graph
    if [output.name for output in graph.output] != [LOGITS]:
        return None
    makers = {name: node for node in graph.node for name in node.output}
    arrays = {item.name: item for item in graph.initializer}
    linear = _linear(makers.get(LOGITS), makers, arrays)
    if linear is None:
        return None
    source, weights, by_label = linear
    pool = makers.get(source)
    while pool is not None and pool.op_type in _RESHAPERS:
        pool = makers.get(pool.input[0])
    if pool is None or not _averages_places(pool, makers, arrays):
        return None
    labels, channels = arrays[weights].dims if by_label else reversed(arrays[weights].dims)
    sides = _sides(model, pool.input[0])
    if sides is None or sides[0] != channels or min(sides[1:]) < SMALLEST:
        return None
    return _Ending(pool.input[0], channels, sides[1], sides[2], weights, by_label, labels)


def _linear(node: Any, makers: dict[str, Any], arrays: dict[str, Any]) -> tuple[str, str, bool] | None:
    """What a linear layer reads, its weights, and whether they stand by label."""
    if node is not None and node.op_type == "Add":  # a product, and a bias added
        node = next((makers[name] for name in node.input if name in makers), None)
    if node is None or node.op_type not in ("Gemm", "MatMul") or node.input[1] not in arrays:
        return None
    given = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    if given.get("alpha", 1.0) != 1.0 or given.get("transA", 0) or len(arrays[node.input[1]].dims) != 2:
        return None
    return node.input[0], node.input[1], bool(given.get("transB", 0))


def _averages_places(node: Any, makers: dict[str, Any], arrays: dict[str, Any]) -> bool:
    if node.op_type == "GlobalAveragePool":
        return True
    if node.op_type != "ReduceMean":
        return False
    axes = next((list(attribute.ints) for attribute in node.attribute if attribute.name == "axes"), None)
    if axes is None and len(node.input) > 1:
        name = node.input[1]
        held = arrays.get(name)
        if held is None and name in makers and makers[name].op_type == "Constant":
            held = makers[name].attribute[0].t
        axes = None if held is None else numpy_helper.to_array(held).reshape(-1).tolist()
    return axes is not None and sorted(int(axis) % 4 for axis in axes) == [2, 3]


def _sides(model: Any, name: str) -> tuple[int, int, int] | None:
    """Channels, height and width of a tensor ``[n, c, h, w]``, where they are known."""
    inferred = onnx.shape_inference.infer_shapes(model).graph
    for value in [*inferred.value_info, *inferred.input]:
        if value.name == name:
            sides = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
            return (sides[1], sides[2], sides[3]) if len(sides) == 4 and all(sides[1:]) else None
    return None
