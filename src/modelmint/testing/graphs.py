"""A real ONNX file from a weight matrix, written byte by byte so that the shop can be tested without ``onnx``.

Field numbers follow ``onnx.proto`` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

import numpy as np

from modelmint.kit.arrays import Float64Array

_FLOAT = 1
_IR_VERSION, _OPSET = 8, 17


def linear_graph(weights: Float64Array, bias: Float64Array, channels: int, side: int) -> bytes:
    """ONNX bytes of ``logits = flatten(pixels) @ weights + bias``.

    ``weights`` is ``[channels * side * side, labels]``, ``bias`` ``[labels]``; the input ``pixels`` is
    ``[n, channels, side, side]`` float32, the output ``logits`` ``[n, labels]``.
    """
    features, labels = weights.shape
    if features != channels * side * side or bias.shape != (labels,):
        raise ValueError(
            f"expected weights [{channels * side * side}, k] and bias [k], found {weights.shape}, {bias.shape}"
        )
    flatten = _text(1, "pixels") + _text(2, "flat") + _text(4, "Flatten")
    gemm = _text(1, "flat") + _text(1, "weights") + _text(1, "bias") + _text(2, "logits") + _text(4, "Gemm")
    graph = b"".join(
        [
            _block(1, flatten),
            _block(1, gemm),
            _text(2, "linear"),
            _block(5, _tensor("weights", weights)),
            _block(5, _tensor("bias", bias)),
            _block(11, _value("pixels", ["n", channels, side, side])),
            _block(12, _value("logits", ["n", labels])),
        ]
    )
    opset = _text(1, "") + _number(2, _OPSET)
    return _number(1, _IR_VERSION) + _text(2, "modelmint.testing") + _block(7, graph) + _block(8, opset)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _block(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _text(field: int, value: str) -> bytes:
    return _block(field, value.encode())


def _tensor(name: str, values: Float64Array) -> bytes:
    dims = b"".join(_number(1, side) for side in values.shape)
    raw = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return dims + _number(2, _FLOAT) + _text(8, name) + _block(9, raw)


def _value(name: str, shape: list[str | int]) -> bytes:
    dims = b"".join(_block(1, _text(2, side) if isinstance(side, str) else _number(1, side)) for side in shape)
    tensor = _number(1, _FLOAT) + _block(2, dims)
    return _text(1, name) + _block(2, _block(1, tensor))
