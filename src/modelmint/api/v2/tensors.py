"""The data of one tensor, in its two forms: JSON numbers and texts, and little-endian bytes.

Datatypes and JSON form: Open Inference Protocol v2, "Tensor Data Types" and "Tensor Data". Binary form: Triton's
binary tensor data extension, where a ``BYTES`` element is its length (4 bytes, unsigned) and its content.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from modelmint.kit.arrays import AnyArray
from modelmint.tasks.errors import BadTensor

BYTES, BF16 = "BYTES", "BF16"
#: Datatype -> numpy dtype of its elements on the wire.
DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
DATATYPES = (*DTYPES, BF16, BYTES)
_LENGTH = struct.Struct("<I")


def elements(shape: Sequence[int]) -> int:
    """How many elements a tensor of ``shape`` has; exact, however large."""
    return math.prod(shape)


def numbers_from_json(data: Any, datatype: str, shape: Sequence[int]) -> AnyArray:
    """JSON numbers (booleans for ``BOOL``), flat or nested, as an array of ``shape``; raises ``BadTensor``.

    Fractions are rounded to the datatype, as JSON writes them in decimal; what lies outside its range is refused.
    """
    flat, dtype = _flat(data, shape), DTYPES.get(datatype)
    if dtype is None:
        raise BadTensor(f"expected {datatype} as binary data; JSON has no numbers of this kind")
    allowed: set[type] = {bool} if dtype.kind == "b" else {int} if dtype.kind in "iu" else {int, float}
    strange = set(map(type, flat)) - allowed
    if strange:
        raise BadTensor(f"expected {_said(allowed)} for {datatype}, found {_said(strange)}")
    try:
        with np.errstate(over="ignore"):
            found = np.array(flat, dtype=np.float64 if dtype.kind == "f" else dtype).astype(dtype)
    except OverflowError as error:
        raise BadTensor(f"expected numbers that {datatype} can hold, found one outside its range") from error
    if dtype.kind == "f" and not np.isfinite(found).all():
        raise BadTensor(f"expected numbers that {datatype} can hold, found one outside its range")
    return found.reshape(tuple(shape))


def numbers_from_binary(data: memoryview, datatype: str, shape: Sequence[int]) -> AnyArray:
    """Little-endian bytes as an array of ``shape`` of its own memory (``BF16`` as float32); raises ``BadTensor``."""
    dtype = np.dtype("<u2") if datatype == BF16 else DTYPES[datatype]
    expected = elements(shape) * dtype.itemsize
    if len(data) != expected:
        raise BadTensor(f"expected {expected} bytes for {datatype} {list(shape)}, found {len(data)}")
    if datatype == "BOOL" and any(value > 1 for value in data):
        raise BadTensor("expected bytes of 0 and 1 for BOOL, found another")
    found = np.frombuffer(data, dtype=dtype)
    if datatype == BF16:  # the upper half of a float32
        found = (found.astype(np.uint32) << 16).view(np.float32)
    return np.array(found).reshape(tuple(shape))


def bytes_from_json(data: Any, shape: Sequence[int]) -> list[bytes]:
    """JSON texts, flat or nested, as UTF-8 in row-major order; raises ``BadTensor``."""
    flat = _flat(data, shape)
    strange = set(map(type, flat)) - {str}
    if strange:
        raise BadTensor(f"expected texts for BYTES, found {_said(strange)}")
    try:
        return [text.encode() for text in flat]
    except UnicodeEncodeError as error:
        raise BadTensor("expected whole characters in the texts for BYTES, found half of a surrogate pair") from error


def bytes_from_binary(data: memoryview, shape: Sequence[int]) -> list[bytes]:
    """Elements with their lengths before them, in row-major order; raises ``BadTensor``."""
    found: list[bytes] = []
    at, count = 0, elements(shape)
    while at < len(data) and len(found) < count:
        if at + _LENGTH.size > len(data):
            break
        (length,) = _LENGTH.unpack_from(data, at)
        end = at + _LENGTH.size + length
        if end > len(data):
            raise BadTensor(f"element {len(found)} says {length} bytes, {len(data) - at - _LENGTH.size} are left")
        found.append(bytes(data[at + _LENGTH.size : end]))
        at = end
    if len(found) != count or at != len(data):
        raise BadTensor(
            f"expected {count} elements, each behind its length in 4 bytes, found {len(found)} and "
            f"{len(data) - at} bytes more"
        )
    return found


def to_json(datatype: str, values: AnyArray | Sequence[bytes]) -> list[Any]:
    """Numbers, booleans or texts, flat, in row-major order."""
    if datatype == BYTES:
        return [bytes(value).decode() for value in values]
    return list(np.asarray(values).ravel().tolist())


def to_binary(datatype: str, values: AnyArray | Sequence[bytes]) -> bytes:
    """Little-endian, row-major; ``BYTES`` each behind its length."""
    if datatype == BYTES:
        return b"".join(_LENGTH.pack(len(value)) + value for value in values)
    return np.ascontiguousarray(values, dtype=DTYPES[datatype]).tobytes()


def _flat(data: Any, shape: Sequence[int]) -> list[Any]:
    """The elements of a flat list, or of lists nested as ``shape`` says."""
    if type(data) is not list:
        raise BadTensor(f"expected data as a list of {elements(shape)} elements, found {_said({type(data)})}")
    flat = data
    if len(shape) > 1 and any(type(item) is list for item in data):
        for depth, size in enumerate(shape):
            if depth:
                if any(type(item) is not list or len(item) != size for item in flat):
                    raise BadTensor(f"expected data nested as {list(shape)}, found another length at depth {depth + 1}")
                flat = list(chain.from_iterable(flat))
            elif len(flat) != size:
                raise BadTensor(f"expected data nested as {list(shape)}, found {len(flat)} at its top")
    if len(flat) != elements(shape):
        raise BadTensor(f"expected {elements(shape)} elements for {list(shape)}, found {len(flat)}")
    return flat


_NAMES: dict[type, str] = {
    bool: "true or false",
    int: "whole numbers",
    float: "numbers",
    str: "texts",
    list: "lists",
    dict: "objects",
    type(None): "null",
}


def _said(kinds: set[type]) -> str:
    return " and ".join(sorted(_NAMES.get(kind, kind.__name__) for kind in kinds))
