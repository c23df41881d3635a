"""Where a foreign graph is left, so that logits come out: a final softmax or sigmoid is taken off where it can be."""

from __future__ import annotations

from typing import Any

import onnx

from modelmint.workshop.adoption.ports import FLOATS, makers
from modelmint.workshop.adoption.types import Ending, Foreign, OutputKind, OutputPort
from modelmint.workshop.errors import UnusableGraph

#: Nodes that change no value of a row of probabilities, so that what is before them may stand for it.
_PASSING = frozenset({"Identity", "Dropout", "Squeeze", "Unsqueeze", "Flatten", "Reshape"})


def ending(foreign: Foreign, port: OutputPort, labels: tuple[str, ...], stated: str) -> Ending | None:
    """How ``port`` becomes logits, as far as the graph and the founder (``stated``: auto, logits, probabilities) say.

    None: only its values can tell. A softmax over the labels is left out (``softmax(logits)`` is what it would have
    given, without the loss of taking a logarithm again), and so is the sigmoid of a single column.
    """
    graph = foreign.model.graph
    order = class_order(port.classes, labels)
    column = port.width == 1 and len(labels) == 2
    if stated == "logits":
        return Ending(port.name, "logits", column=column, order=order)
    found = _last(port.name, makers(graph), _element_types(graph))
    kind: OutputKind | None = "probabilities" if stated == "probabilities" else None
    if found is not None:
        axis = next((attribute.i for attribute in found.attribute if attribute.name == "axis"), None)
        # Before operator set 13 the axis is 1 unless stated, and everything behind it is one row: the same here.
        if found.op_type == "Softmax" and not column and axis in (None, -1, 1):
            return Ending(found.input[0], "logits", "Softmax", order=order)
        if found.op_type == "Sigmoid" and column:
            return Ending(found.input[0], "logits", "Sigmoid", column=True)
        if found.op_type in ("Softmax", "Sigmoid", "TreeEnsembleClassifier"):
            kind = "probabilities"
        if found.op_type == "LogSoftmax":
            kind = "logits"
    return None if kind is None else Ending(port.name, kind, column=column, order=order)


def _last(name: str, made: dict[str, Any], types: dict[str, int]) -> Any:
    """The node that makes the values of ``name``, behind nodes that hand them on; None where there is none."""
    for _ in range(16):
        node = made.get(name)
        if node is None:
            return None
        floats = node.op_type == "Cast" and types.get(node.input[0], onnx.TensorProto.FLOAT) in FLOATS
        if node.op_type not in _PASSING and not floats:
            return node
        name = node.input[0]
    return None


def _element_types(graph: Any) -> dict[str, int]:
    return {item.name: item.type.tensor_type.elem_type for item in [*graph.value_info, *graph.input, *graph.output]}


def class_order(classes: tuple[str, ...], labels: tuple[str, ...]) -> tuple[int, ...]:
    """Column of the graph for each label, where the graph names its classes and names them as the venture does.

    () where its order is the venture's, or where it only numbers them. Raises ``UnusableGraph`` where some names
    are the same and some are not: the two speak of different things.
    """
    if not classes or classes == labels or all(name.lstrip("-").isdigit() for name in classes):
        return ()
    if sorted(classes) == sorted(labels):
        return tuple(classes.index(label) for label in labels)
    shared = set(classes) & set(labels)
    if shared or len(classes) != len(labels):
        raise UnusableGraph(
            f"the graph knows the classes {', '.join(classes)}; the venture has the labels {', '.join(labels)}. "
            "Do: let data.labels name the same"
        )
    return ()
