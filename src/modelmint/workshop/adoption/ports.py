"""What goes into a foreign graph and what comes out of it, as the graph itself says."""

from __future__ import annotations

from typing import Any

import onnx

from modelmint.workshop.adoption.types import Foreign, InputPort, OutputPort
from modelmint.workshop.errors import UnusableGraph

_T = onnx.TensorProto
#: Element types that a picture may have; the wrapped graph casts to them.
NUMBERS = frozenset(
    {_T.FLOAT, _T.DOUBLE, _T.FLOAT16, _T.BFLOAT16, _T.UINT8, _T.INT8, _T.INT16, _T.UINT16, _T.INT32, _T.INT64}
)
FLOATS = frozenset({_T.FLOAT, _T.DOUBLE, _T.FLOAT16, _T.BFLOAT16})
#: Names that exporters give the output that counts, where several fit.
_USUAL = ("logits", "probabilities", "probability", "output_probability", "predictions", "output")
_CLASSIFIERS = frozenset({"TreeEnsembleClassifier", "LinearClassifier", "SVMClassifier", "ZipMap"})


def input_port(foreign: Foreign) -> InputPort:
    """The one input of pictures; raises ``UnusableGraph`` where there are several or it holds no numbers."""
    graph = foreign.model.graph
    constants = {item.name for item in graph.initializer}
    found = [item for item in graph.input if item.name not in constants]
    if len(found) != 1:
        names = ", ".join(item.name for item in found) or "none"
        raise UnusableGraph(
            f"expected a graph with one input, the picture; {foreign.path.name} has {len(found)}: {names}. Do: export "
            "the model with everything else fixed"
        )
    kind = found[0].type.tensor_type
    if not found[0].type.HasField("tensor_type") or kind.elem_type not in NUMBERS:
        raise UnusableGraph(
            f"expected the input {found[0].name!r} to hold numbers, found {type_name(found[0].type)}. Do: export the "
            "part of the model that reads decoded pixels"
        )
    if not kind.HasField("shape") or not kind.shape.dim:
        raise UnusableGraph(f"the input {found[0].name!r} has no shape; export the model with the shape of its input")
    sides = [side.dim_value if side.dim_value > 0 else None for side in kind.shape.dim]
    return InputPort(found[0].name, kind.elem_type, tuple(sides[1:]), sides[0])


def type_name(kind: Any) -> str:
    """``tensor(string)``, ``sequence``, ..."""
    if kind.HasField("tensor_type"):
        return f"tensor({_T.DataType.Name(kind.tensor_type.elem_type).lower()})"
    return str(kind.WhichOneof("value") or "no type").removesuffix("_type")


def makers(graph: Any) -> dict[str, Any]:
    """Tensor name -> the node that makes it."""
    return {name: node for node in graph.node for name in node.output if name}


def output_port(foreign: Foreign, labels: int, wanted: str | None) -> OutputPort:
    """The output that counts: ``wanted`` by name, else the one of floats that has a column per label.

    Raises ``UnusableGraph``: nothing but labels comes out, or several could be meant.
    """
    graph = foreign.model.graph
    made = makers(graph)
    floats = {item.name: _as_floats(item, made) for item in graph.output}
    usable = {name: port for name, port in floats.items() if port is not None}
    if wanted is not None:
        if wanted not in usable:
            known = ", ".join(usable) or "of which there is none"
            raise UnusableGraph(f"output_name = {wanted!r}: expected an output of floats, {known}")
        return usable[wanted]
    if not usable:
        kinds = ", ".join(f"{item.name} {type_name(item.type)}" for item in graph.output)
        raise UnusableGraph(
            f"expected an output of probabilities or logits, {foreign.path.name} gives {kinds or 'nothing'} only. Do: "
            "export it with its probabilities (skl2onnx: of a classifier that has predict_proba; TensorFlow and "
            "PyTorch: without the final argmax)"
        )
    fitting = {name: port for name, port in usable.items() if port.width in (None, labels) or _column(port, labels)}
    chosen = fitting or usable
    if len(chosen) == 1:
        return next(iter(chosen.values()))
    named = [name for name in _USUAL if name in chosen]
    if len(named) == 1:
        return chosen[named[0]]
    raise UnusableGraph(
        f"{len(chosen)} outputs of {foreign.path.name} could be the answer: {', '.join(chosen)}. Do: say which, "
        f'output_name = "{next(iter(chosen))}"'
    )


def _column(port: OutputPort, labels: int) -> bool:
    return port.width == 1 and labels == 2


def _as_floats(item: Any, made: dict[str, Any]) -> OutputPort | None:
    """``item`` as a tensor of floats; a ZipMap (a dictionary per row) is taken off. None where it is neither."""
    name, node = item.name, made.get(item.name)
    if node is not None and node.op_type == "ZipMap":
        return OutputPort(node.input[0], classes_of(node), len(classes_of(node)) or None)
    kind = item.type.tensor_type
    if not item.type.HasField("tensor_type") or kind.elem_type not in FLOATS:
        return None
    sides = [side.dim_value if side.dim_value > 0 else None for side in kind.shape.dim]
    width = 1 if len(sides) == 1 else sides[1] if len(sides) > 1 else None
    return OutputPort(name, _classes_behind(name, made), width)


def _classes_behind(name: str, made: dict[str, Any]) -> tuple[str, ...]:
    """Class names of the classifier that makes ``name``, directly or through a few nodes with one input."""
    for _ in range(4):
        node = made.get(name)
        if node is None or not node.input:
            return ()
        if node.op_type in _CLASSIFIERS:
            return classes_of(node)
        name = node.input[0]
    return ()


def classes_of(node: Any) -> tuple[str, ...]:
    """What a classifier of ``ai.onnx.ml`` calls its classes, as texts."""
    for attribute in node.attribute:
        if attribute.name in ("classlabels_strings", "classlabels_int64s", "classlabels_ints") and (
            attribute.strings or attribute.ints
        ):
            return tuple([text.decode("utf-8", "replace") for text in attribute.strings] or map(str, attribute.ints))
    return ()
