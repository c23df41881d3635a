"""A graph without its class-activation maps, so that a plain run does not pay for them.

ONNX Runtime computes every output of a session, asked for or not, and the shop has no library that edits graphs. So
the file is read as what it is, protocol buffers (field numbers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from modelmint.inference.engines.ports import CAM, CAM_NODES

_GRAPH = 7  # of ModelProto
_NODE, _OUTPUT = 1, 12  # of GraphProto
_NODE_NAME, _VALUE_NAME = 3, 1
_LENGTH = 2  # the wire type of texts and messages
_FIXED = {1: 8, 5: 4}


def without_maps(graph: Path) -> bytes | None:
    """The model in ``graph`` without its output ``cam`` and the nodes that only make it; None where it has none.

    None, too, where the file is not what it should be: whoever opens it says so better.
    """
    try:
        with graph.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _pruned(data)
    except (OSError, ValueError, IndexError, KeyError):
        return None


def _pruned(data: mmap.mmap) -> bytes | None:
    model = list(_fields(data, 0, len(data)))
    (place,) = [at for at, (number, *_) in enumerate(model) if number == _GRAPH]
    parts = list(_fields(data, model[place][2], model[place][3]))
    outputs = [_name(data, part[2], part[3], _VALUE_NAME) for part in parts if part[0] == _OUTPUT]
    if CAM.encode() not in outputs or len(outputs) < 2:
        return None
    kept = b"".join(data[start:end] for number, start, value, end in parts if not _of_maps(data, number, value, end))
    whole = [data[start:end] for _, start, _, end in model]
    whole[place] = _varint(_GRAPH << 3 | _LENGTH) + _varint(len(kept)) + kept
    return b"".join(whole)


def _of_maps(data: mmap.mmap, number: int, value: int, end: int) -> bool:
    if number == _OUTPUT:
        return _name(data, value, end, _VALUE_NAME) == CAM.encode()
    return number == _NODE and _name(data, value, end, _NODE_NAME).startswith(CAM_NODES.encode())


def _name(data: mmap.mmap, start: int, end: int, wanted: int) -> bytes:
    return next((data[value:stop] for number, _, value, stop in _fields(data, start, end) if number == wanted), b"")


def _fields(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, start, start of the value and end of every field of a message."""
    while at < end:
        start = at
        tag, at = _read_varint(data, at)
        wire, length = tag & 7, 0
        if wire == _LENGTH:
            length, at = _read_varint(data, at)
        value = at
        at = _read_varint(data, at)[1] if wire == 0 else at + (length if wire == _LENGTH else _FIXED[wire])
        if at > end:
            raise ValueError("a field runs beyond its message")
        yield tag >> 3, start, value, at


def _read_varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = data[at]
        found |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return found, at


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
