"""The inputs of a request as what the paid operation takes: payloads to encode, or a batch that is encoded."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np

from modelmint.api.v2.signature import Signature
from modelmint.api.v2.tensors import (
    BYTES,
    bytes_from_binary,
    bytes_from_json,
    numbers_from_binary,
    numbers_from_json,
)
from modelmint.api.v2.types import InferRequest, RequestTensor
from modelmint.kit.arrays import AnyArray
from modelmint.kit.errors import ModelmintError
from modelmint.tasks.errors import BadTensor, EmptyInput, TooManyInputs, name_input
from modelmint.tasks.requests import decode_base64

T = TypeVar("T")
_EXACT_TO = 2.0**53


def payloads_or_tensor(request: InferRequest, signature: Signature, max_items: int) -> list[bytes] | AnyArray:
    """The encoded pictures of a ``BYTES`` input, or the batch ``[n, ...]`` of a tensor input.

    In JSON a picture is base64, in binary its bytes. Numbers of another datatype than FP32 are taken where it
    holds each of them exactly. Raises ``BadTensor``, ``EmptyInput``, ``TooManyInputs`` (413), ``BadBase64``.
    """
    if len(request.inputs) != 1:
        raise BadTensor(f"expected one input, found {len(request.inputs)}; send {_either(signature)}")
    (given,) = request.inputs
    if given.datatype == BYTES and given.name == signature.picture.name:
        return _pictures(given, max_items)
    if given.datatype != BYTES and given.name == signature.tensor.name:
        return _batch(given, signature, max_items)
    raise BadTensor(
        f"expected {_either(signature)}; found an input {given.name[:64]!r} of {given.datatype}",
    )


def _pictures(given: RequestTensor, max_items: int) -> list[bytes]:
    if len(given.shape) > 2 or (len(given.shape) == 2 and given.shape[1] != 1):
        raise BadTensor(f"{given.name}: expected a shape [n] or [n, 1], found {list(given.shape)}")
    _check_count(given, max_items)
    if isinstance(given.data, memoryview):
        found = _told(given, lambda: bytes_from_binary(given.data, given.shape))
        for index, payload in enumerate(found):
            if not payload:
                error = EmptyInput("expected a picture, found no bytes; send the file's content")
                name_input(error, index, len(found))
                raise error
        return found
    pictures = []
    texts = _told(given, lambda: bytes_from_json(given.data, given.shape))
    for index, text in enumerate(texts):
        try:
            pictures.append(decode_base64(text.decode()))
        except ModelmintError as error:
            name_input(error, index, len(texts))
            raise
    return pictures


def _batch(given: RequestTensor, signature: Signature, max_items: int) -> AnyArray:
    if given.shape[1:] != signature.item:
        raise BadTensor(
            f"{given.name}: expected a shape {['n', *signature.item]}, found {list(given.shape)}; what stands in the "
            "tensor is the picture as the model takes it, resized and scaled"
        )
    _check_count(given, max_items)
    if isinstance(given.data, memoryview):
        found = _told(given, lambda: numbers_from_binary(given.data, given.datatype, given.shape))
    else:
        found = _told(given, lambda: numbers_from_json(given.data, given.datatype, given.shape))
    return _exactly(found, given)


def _exactly(found: AnyArray, given: RequestTensor) -> AnyArray:
    """The same numbers as float32; whether they are finite is the task's to say."""
    if found.dtype.kind == "b":
        raise BadTensor(f"{given.name}: expected numbers, found BOOL")
    if found.dtype == np.float32:
        return found
    with np.errstate(over="ignore", invalid="ignore"):
        cast, wide = found.astype(np.float32), found.astype(np.float64)
    # Up to there float64 holds every whole number, so that equal means equal.
    beyond = found.dtype.kind != "f" and np.abs(wide).max() > _EXACT_TO
    if beyond or not np.array_equal(cast.astype(np.float64), wide):
        raise BadTensor(
            f"{given.name}: expected numbers that FP32 holds exactly, found {given.datatype} with others; round them "
            "and send FP32"
        )
    return cast


def _check_count(given: RequestTensor, max_items: int) -> None:
    count = given.shape[0]
    if count == 0:
        raise EmptyInput(f"{given.name}: expected at least one item, found a shape {list(given.shape)}")
    if count > max_items:
        raise TooManyInputs(
            f"expected at most {max_items} inputs in one call, found {count}; send the rest in further calls",
            details={"limit": max_items, "found": count},
        )


def _told(given: RequestTensor, read: Callable[[], T]) -> T:
    """What ``read`` gives; its complaints name the tensor."""
    try:
        return read()
    except BadTensor as error:
        raise BadTensor(f"{given.name}: {error.message}") from error


def _either(signature: Signature) -> str:
    picture, tensor = signature.picture, signature.tensor
    shape = ", ".join(["n", *map(str, signature.item)])
    return (
        f"{picture.name!r} (BYTES [n], encoded pictures) or {tensor.name!r} ({tensor.datatype} [{shape}], what the "
        "model takes)"
    )
