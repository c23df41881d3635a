"""Data of tensors in both forms, written by the client that exists and read by us, and the other way round."""

from __future__ import annotations

import json
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tritonclient.http import InferInput
from tritonclient.utils import deserialize_bytes_tensor, triton_to_np_dtype

from modelmint.api.v2.tensors import (
    BF16,
    BYTES,
    DATATYPES,
    DTYPES,
    bytes_from_binary,
    bytes_from_json,
    elements,
    numbers_from_binary,
    numbers_from_json,
    to_binary,
    to_json,
)
from modelmint.tasks.errors import BadTensor

SHAPES = arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def tensors(draw: st.DrawFn) -> tuple[str, Any]:
    """A datatype of numbers and an array of it; no NaN or infinity, which JSON lacks."""
    datatype = draw(st.sampled_from(sorted(DTYPES)))
    finite = {"allow_nan": False, "allow_infinity": False} if DTYPES[datatype].kind == "f" else {}
    return datatype, draw(arrays.arrays(DTYPES[datatype], draw(SHAPES), elements=finite or None))


def sent(array: Any, datatype: str, *, binary: bool) -> tuple[Any, memoryview | None]:
    """What tritonclient makes of ``array``: data of its JSON, bytes of its binary part."""
    made = InferInput("x", list(array.shape), datatype).set_data_from_numpy(array, binary_data=binary)
    raw = made._get_binary_data()
    return json.loads(json.dumps(made._get_tensor())).get("data"), None if raw is None else memoryview(raw)


@given(tensors())
def test_numbers_of_every_datatype_come_back_unchanged_in_both_forms(tensor: tuple[str, Any]) -> None:
    datatype, array = tensor
    data, _ = sent(array, datatype, binary=False)
    read = numbers_from_json(data, datatype, array.shape)
    assert (read.dtype, read.shape, read.tobytes()) == (array.dtype, array.shape, array.tobytes())
    assert numbers_from_json(array.tolist(), datatype, array.shape).tolist() == array.tolist()
    assert numbers_from_json(to_json(datatype, array), datatype, array.shape).tolist() == array.tolist()
    _, raw = sent(array, datatype, binary=True)
    assert raw is not None
    assert numbers_from_binary(raw, datatype, array.shape).tobytes() == array.tobytes()
    assert to_binary(datatype, array) == raw
    assert np.frombuffer(raw, triton_to_np_dtype(datatype)).reshape(array.shape).tolist() == array.tolist()


@given(arrays.arrays(np.float32, SHAPES, elements={"allow_nan": False}))
def test_brain_floats_are_read_as_the_float32_that_they_are(array: Any) -> None:
    short = array.astype(ml_dtypes.bfloat16)
    _, raw = sent(short, BF16, binary=True)
    assert raw is not None
    read = numbers_from_binary(raw, BF16, array.shape)
    assert read.dtype == np.float32
    assert read.tobytes() == short.astype(np.float32).tobytes()
    with pytest.raises(BadTensor, match="binary"):
        numbers_from_json([1.0], BF16, [1])


@given(SHAPES, st.data())
def test_bytes_and_texts_come_back_unchanged_in_both_forms(shape: tuple[int, ...], data: st.DataObject) -> None:
    count = elements(shape)
    whole = np.empty(count, dtype=np.object_)
    whole[:] = data.draw(st.lists(st.binary(max_size=20), min_size=count, max_size=count))
    _, raw = sent(whole.reshape(shape), BYTES, binary=True)
    assert raw is not None
    read = bytes_from_binary(raw, shape)
    assert read == list(whole)
    assert to_binary(BYTES, read) == raw
    assert list(deserialize_bytes_tensor(to_binary(BYTES, read))) == read
    texts = data.draw(st.lists(TEXTS, min_size=count, max_size=count))
    assert bytes_from_json(texts, shape) == [text.encode() for text in texts]
    assert to_json(BYTES, [text.encode() for text in texts]) == texts


@given(st.sampled_from(DATATYPES), SHAPES, st.binary(max_size=200))
def test_whatever_bytes_come_they_are_read_whole_or_refused(datatype: str, shape: tuple[int, ...], raw: bytes) -> None:
    try:
        if datatype == BYTES:
            found = bytes_from_binary(memoryview(raw), shape)
            assert (len(found), to_binary(BYTES, found)) == (elements(shape), raw)
        else:
            assert numbers_from_binary(memoryview(raw), datatype, shape).shape == shape
    except BadTensor:
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=12,
)


@given(st.sampled_from(DATATYPES), SHAPES, JSON)
def test_whatever_json_comes_it_is_read_whole_or_refused(datatype: str, shape: tuple[int, ...], data: Any) -> None:
    try:
        if datatype == BYTES:
            assert len(bytes_from_json(data, shape)) == elements(shape)
        else:
            assert numbers_from_json(data, datatype, shape).shape == shape
    except BadTensor:
        pass


@pytest.mark.parametrize(
    ("datatype", "data", "found"),
    [
        ("FP32", [1, True], "true or false"),
        ("FP32", ["1"], "texts"),
        ("FP32", [1e39], "outside its range"),
        ("FP16", [70000], "outside its range"),
        ("FP64", [10**400], "outside its range"),
        ("FP64", [float("inf")], "outside its range"),
        ("UINT8", [256], "outside its range"),
        ("UINT8", [-1], "outside its range"),
        ("INT64", [2**63], "outside its range"),
        ("INT32", [1.0], "numbers"),
        ("BOOL", [1], "whole numbers"),
        ("FP32", {}, "objects"),
        ("FP32", None, "null"),
    ],
)
def test_json_that_the_datatype_cannot_hold_is_refused(datatype: str, data: Any, found: str) -> None:
    with pytest.raises(BadTensor, match=found):
        numbers_from_json(data, datatype, [len(data) if isinstance(data, list) else 1])


@pytest.mark.parametrize(
    "data", [[[1, 2], [3]], [[1, 2]], [[1, 2], 3], [[[1], [2]], [[3], [4]]], [1, 2, 3], [[1, 2], [3, [4]]]]
)
def test_nesting_that_is_not_the_shape_is_refused(data: Any) -> None:
    with pytest.raises(BadTensor):
        numbers_from_json(data, "FP32", [2, 2])


def test_lengths_that_lie_are_refused_without_reserving_what_they_say() -> None:
    for raw in (b"\xff\xff\xff\xff", b"\x05\0\0\0abc", b"\x01\0\0\0a\0", b"\x01\0\0\0a\0\0\0\0"):
        with pytest.raises(BadTensor):
            bytes_from_binary(memoryview(raw), [1])
    with pytest.raises(BadTensor):
        bytes_from_binary(memoryview(b""), [2**62, 2**62])
    with pytest.raises(BadTensor, match="expected 340282366920938463463374607431768211456"):
        numbers_from_binary(memoryview(b""), "FP32", [2**63, 2**63])
    with pytest.raises(BadTensor, match="0 and 1"):
        numbers_from_binary(memoryview(b"\x02"), "BOOL", [1])
    with pytest.raises(BadTensor, match="surrogate"):
        bytes_from_json(["\ud800"], [1])
