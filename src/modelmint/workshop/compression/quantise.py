"""Static int8 quantisation after training."""

from __future__ import annotations

import contextlib
import io
import logging
import math
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import onnx

from modelmint.kit.arrays import AnyArray
from modelmint.kit.machine import this_machine
from modelmint.workshop.compression.cam import PREFIX
from modelmint.workshop.compression.tidy import save, strip_notes
from modelmint.workshop.compression.types import Applied, Materials
from modelmint.workshop.errors import RecipeFailed

#: Instructions that multiply 8-bit numbers without overflow in between; machines that have none of them
#: saturate at 16 bits, so weights are kept to 7 bits there.
_EXACT_INT8 = frozenset({"avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm"})
#: A convolution that reads so few channels gains nothing from 8 bits (its dot products are too short) and
#: holds a few kB of weights: it stays in float32.
_FEW_CHANNELS = 4
#: An output layer with at most this share of all weights stays in float32: it saves no bytes and its
#: rounding goes straight into the answer.
_FEW_WEIGHTS = 0.01
_ACTIVATIONS = frozenset({"Relu", "Clip", "LeakyRelu", "HardSwish"})
_POOLINGS = frozenset({"MaxPool", "AveragePool"})
_RESHAPERS = frozenset({"ReduceMean", "GlobalAveragePool", "Flatten", "Reshape", "Squeeze"})
_BATCH = 32


class Quantise:
    """Weights to signed, activations to unsigned 8-bit numbers, with ranges observed on training pictures.

    After Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference" (the affine scheme) and Krishnamoorthi 2018 (per-channel weights). Needs calibration pictures;
    costs a few seconds (``minmax``, averaged over batches) to half a minute (``percentile``, ``entropy``).
    Quantise and dequantise nodes stand in the graph, so ONNX Runtime and OpenVINO both run it in integers.
    """

    tag = "int8"
    needs = frozenset({"calibration"})

    def apply(self, graph: Path, into: Path, settings: Mapping[str, Any], materials: Materials) -> Applied:
        pictures = materials.calibration()
        if len(pictures) == 0:
            raise RecipeFailed("quantise needs training pictures to observe ranges on, found none")
        reduce_range = not _EXACT_INT8 & set(this_machine().instructions)
        observer = str(settings.get("observer", "minmax"))
        with tempfile.TemporaryDirectory() as folder, _quiet():
            prepared = Path(folder) / "prepared.onnx"
            try:
                float_nodes = _prepare(graph, prepared)
                _quantise(prepared, Path(folder) / "raw.onnx", pictures, observer, reduce_range, float_nodes)
                model = onnx.load(str(Path(folder) / "raw.onnx"))
                strip_notes(model)
                quantised = any(node.op_type == "QuantizeLinear" for node in model.graph.node)
                save(model, into)
            except Exception as error:  # the quantiser raises bare exceptions of many kinds
                reason = str(error).strip().splitlines()
                raise RecipeFailed(
                    f"quantise: {type(error).__name__}: {reason[0] if reason else 'no reason given'}"
                ) from error
        if not quantised:  # of trees, for example
            kinds = ", ".join(sorted({node.op_type for node in model.graph.node}))
            raise RecipeFailed(f"quantise: no operator of this graph can compute with 8-bit numbers; it has {kinds}")
        facts = {
            "observer": observer,
            "pictures": len(pictures),
            "reduce_range": reduce_range,
            "in_float32": sorted(float_nodes),
        }
        return Applied("int8", facts)


def _prepare(graph: Path, into: Path) -> list[str]:
    """Shapes inferred and constants folded; returns the names of the nodes that stay in float32."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(str(graph), str(into), skip_symbolic_shape=True)
    model = onnx.load(str(into))
    for place, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{place}"
    into.write_bytes(model.SerializeToString(deterministic=True))
    return _float_nodes(model.graph)


def _float_nodes(graph: Any) -> list[str]:
    """Names of the nodes that stay in float32: the layer that reads the picture, a small output layer, its maps."""
    weights = {item.name: item.dims for item in graph.initializer}
    readers: dict[str, list[Any]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    maps = [node.name for node in graph.node if node.name.startswith(PREFIX)]
    return _stem(graph, weights, readers) + _output_layer(graph, weights) + maps


def _stem(graph: Any, weights: Mapping[str, Any], readers: Mapping[str, list[Any]]) -> list[str]:
    """The first convolution and its activation, unless a pooling follows.

    A quantised pooling behind a float convolution would cost two changes of layout and a slow kernel.
    """
    first = [node for source in graph.input for node in readers.get(source.name, [])]
    if len(first) != 1 or first[0].op_type != "Conv" or _channels(weights.get(first[0].input[1])) > _FEW_CHANNELS:
        return []
    kept, following = [first[0].name], readers.get(first[0].output[0], [])
    if len(following) == 1 and following[0].op_type in _ACTIVATIONS:
        kept.append(following[0].name)
        following = readers.get(following[0].output[0], [])
    return [] if any(node.op_type in _POOLINGS for node in following) else kept


def _output_layer(graph: Any, weights: Mapping[str, Any]) -> list[str]:
    """The last linear layer, where its weights are few, and the mean or reshape in front of it."""
    makers = {name: node for node in graph.node for name in node.output}
    last = makers.get(graph.output[0].name)
    total = sum(math.prod(dims) for dims in weights.values())
    if last is None or last.op_type not in ("Gemm", "MatMul"):
        return []
    if math.prod(weights.get(last.input[1], [total])) > _FEW_WEIGHTS * total:
        return []
    kept, before = [last.name], makers.get(last.input[0])
    while before is not None and before.op_type in _RESHAPERS:
        kept.append(before.name)
        before = makers.get(before.input[0])
    return kept


def _channels(dims: Any) -> int:
    """Input channels of a convolution's weights ``[out, in, ...]``; many where they are no constant."""
    return int(dims[1]) if dims is not None and len(dims) > 1 else _FEW_CHANNELS + 1


def _quantise(
    graph: Path, into: Path, pictures: AnyArray, observer: str, reduce_range: bool, float_nodes: list[str]
) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    methods = {
        "minmax": CalibrationMethod.MinMax,
        "percentile": CalibrationMethod.Percentile,
        "entropy": CalibrationMethod.Entropy,
    }
    extra: dict[str, Any] = {"WeightSymmetric": True}
    if observer == "minmax":
        extra["CalibMovingAverage"] = True
    if observer == "percentile":
        extra["CalibPercentile"] = 99.99
    name = onnx.load(str(graph), load_external_data=False).graph.input[0].name
    quantize_static(
        str(graph),
        str(into),
        _Reader(name, pictures),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=reduce_range,
        # Unsigned: with signed activations ONNX Runtime runs depthwise convolutions in float.
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=methods[observer],
        nodes_to_exclude=float_nodes,
        extra_options=extra,
    )


class _Reader:
    """Hands pictures to the calibrator in equal batches (a short last one would weigh as much as a full one)."""

    def __init__(self, name: str, pictures: AnyArray) -> None:
        size = min(_BATCH, len(pictures))
        whole = len(pictures) - len(pictures) % size
        self._batches = iter([{name: pictures[start : start + size]} for start in range(0, whole, size)])

    def get_next(self) -> dict[str, AnyArray] | None:
        return next(self._batches, None)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser logs to the root logger and prints on stdout, which belongs to ``--json``."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
