"""An inference request taken apart, and what is refused before any data is looked at."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput

from modelmint.api.v2.errors import BadInferRequest
from modelmint.api.v2.inputs import payloads_or_tensor
from modelmint.api.v2.requests import parse
from modelmint.api.v2.signature import Signature
from modelmint.api.v2.types import TensorMeta, WantedOutput
from modelmint.kit.errors import InvalidInput
from modelmint.tasks.errors import BadBase64, BadTensor, EmptyInput, TooManyInputs

SIGNATURE = Signature(
    model="m",
    version="0" * 12,
    picture=TensorMeta("image", "BYTES", (-1,)),
    tensor=TensorMeta("pixels", "FP32", (-1, 1, 2, 2)),
    outputs={"label": TensorMeta("label", "BYTES", (-1,))},
    labels=("a", "b"),
)
MOST = 1000


def read(body: bytes, length: bytes | None = None, most: int = 4) -> Any:
    return payloads_or_tensor(parse(body, length, MOST), SIGNATURE, most)


def tensor(**more: Any) -> dict[str, Any]:
    return {"name": "pixels", "shape": [1, 1, 2, 2], "datatype": "FP32", "data": [1, 2, 3, 4], **more}


def body(*inputs: Any, **more: Any) -> bytes:
    return json.dumps({"inputs": list(inputs), **more}).encode()


def client_body(given: Any, name: str, datatype: str, *, binary: bool) -> tuple[bytes, bytes | None]:
    made = InferInput(name, list(given.shape), datatype).set_data_from_numpy(given, binary_data=binary)
    content, length = InferenceServerClient.generate_request_body([made], request_id="7")
    return content, None if length is None else str(length).encode()


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [
        ("FP32", "f4"),
        ("FP64", "f8"),
        ("FP16", "f2"),
        ("UINT8", "u1"),
        ("INT8", "i1"),
        ("INT64", "i8"),
        ("UINT64", "u8"),
    ],
)
def test_a_tensor_of_any_datatype_is_taken_where_float32_holds_its_numbers(
    datatype: str, dtype: str, binary: bool
) -> None:
    given = np.arange(8).astype(dtype).reshape(2, 1, 2, 2)
    found = read(*client_body(given, "pixels", datatype, binary=binary))
    assert (found.dtype, found.shape) == (np.float32, (2, 1, 2, 2))
    assert found.tolist() == given.tolist()


@pytest.mark.parametrize(
    ("datatype", "value"),
    [("FP64", 0.1), ("FP64", 1e300), ("INT32", 2**24 + 1), ("INT64", 2**63 - 1), ("UINT64", 2**64 - 1)],
)
def test_numbers_that_float32_would_round_are_refused(datatype: str, value: float) -> None:
    with pytest.raises(BadTensor, match="holds exactly"):
        read(body(tensor(datatype=datatype, data=[value, 0, 0, 0])))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_json_has_no_word_for_are_refused(value: float) -> None:
    with pytest.raises(BadInferRequest, match="JSON has no"):
        read(body(tensor(data=[0, 0, 0, value])))


def test_pictures_are_bytes_in_binary_and_base64_in_json() -> None:
    pictures = np.array([b"one\0\xff", b"\x00two"], dtype=np.object_)
    assert read(*client_body(pictures, "image", "BYTES", binary=True)) == list(pictures)
    assert read(*client_body(pictures.reshape(2, 1), "image", "BYTES", binary=True)) == list(pictures)
    texts = np.array([base64.b64encode(one) for one in pictures], dtype=np.object_)
    assert read(*client_body(texts, "image", "BYTES", binary=False)) == list(pictures)
    with pytest.raises(BadBase64, match="input 2 of 2"):
        read(body({"name": "image", "shape": [2], "datatype": "BYTES", "data": ["YQ==", "?"]}))
    with pytest.raises(EmptyInput, match="input 2 of 2"):
        read(*client_body(np.array([b"x", b""], dtype=np.object_), "image", "BYTES", binary=True))


def test_what_stands_beside_the_inputs_is_understood() -> None:
    wanted = [InferRequestedOutput("label", binary_data=False), InferRequestedOutput("logits", class_count=2)]
    given = InferInput("pixels", [1, 1, 2, 2], "FP32").set_data_from_numpy(np.zeros((1, 1, 2, 2), np.float32))
    content, length = InferenceServerClient.generate_request_body([given], wanted, "é7", parameters={"explain": True})
    found = parse(content, str(length).encode(), MOST)
    assert found.outputs == (WantedOutput("label", binary=False), WantedOutput("logits", True, 2))
    assert (found.id, found.binary, found.parameters) == ("é7", False, {"explain": True})
    content, length = InferenceServerClient.generate_request_body([given])
    found = parse(content, str(length).encode(), MOST)
    assert (found.id, found.outputs, found.binary) == (None, None, True)


def test_more_items_than_a_call_may_hold_are_refused_before_their_data_is_read() -> None:
    for shape in ([5, 1, 2, 2], [2**40, 1, 2, 2]):
        with pytest.raises(TooManyInputs):
            read(body(tensor(shape=shape, data=[])))
    with pytest.raises(EmptyInput):
        read(body(tensor(shape=[0, 1, 2, 2], data=[])))


@pytest.mark.parametrize(
    "given",
    [
        tensor(shape=[1, 4]),
        tensor(shape=[1, 1, 2, 3]),
        tensor(shape=[1, 2, 2, 1]),
        tensor(datatype="BYTES"),
        tensor(name="pixel"),
        tensor(data=[1, 2, 3]),
        tensor(data=[[[[1, 2], [3]]]]),
        tensor(datatype="BOOL", data=[True, True, False, False]),
        {"name": "image", "shape": [1, 2], "datatype": "BYTES", "data": ["YQ==", "YQ=="]},
        {"name": "image", "shape": [1], "datatype": "FP32", "data": [1]},
        {"name": "image", "shape": [2], "datatype": "BYTES", "data": ["YQ=="]},
    ],
)
def test_a_tensor_that_does_not_fit_the_model_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadTensor):
        read(body(given))


def test_one_input_is_expected() -> None:
    with pytest.raises(BadTensor, match="found 2"):
        read(body(tensor(), {"name": "image", "shape": [1], "datatype": "BYTES", "data": ["YQ=="]}))
    with pytest.raises(BadInferRequest, match="more than once"):
        read(body(tensor(), tensor()))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (tensor(shape=[-1, 1, 2, 2]), "shape"),
        (tensor(shape=[1.0, 1, 2, 2]), "shape"),
        (tensor(shape=[True, 1, 2, 2]), "shape"),
        (tensor(shape=[2**63, 2**63]), "shape"),
        (tensor(shape=[1] * 17), "shape"),
        (tensor(shape=[]), "shape"),
        (tensor(shape=None), "shape"),
        (tensor(datatype="FP8"), "datatype"),
        (tensor(datatype=["FP32"]), "datatype"),
        (tensor(name=""), "name"),
        (tensor(name=7), "name"),
        (tensor(name="\ud800"), "name"),
        (tensor(parameters=[]), "parameters"),
        (tensor(parameters={"binary_data_size": 16}), "found both"),
        (tensor(parameters={"shared_memory_region": "r"}), "shared memory"),
        ({"name": "pixels", "shape": [1], "datatype": "FP32"}, "binary_data_size"),
        ("pixels", "expected an object"),
    ],
)
def test_an_input_that_is_none_is_told_with_its_place(given: Any, said: str) -> None:
    with pytest.raises(BadInferRequest) as caught:
        read(body(given))
    assert any("inputs[0]" in problem and said in problem for problem in caught.value.problems)


@pytest.mark.parametrize(
    "more",
    [
        {"id": 7},
        {"id": "x" * 513},
        {"id": "\udfff"},
        {"outputs": "label"},
        {"outputs": [7]},
        {"outputs": [{"name": "label"}, {"name": "label"}]},
        {"outputs": [{"name": "label", "parameters": {"binary_data": 1}}]},
        {"outputs": [{"name": "label", "parameters": {"classification": -1}}]},
        {"outputs": [{"name": "label", "parameters": {"shared_memory_region": "r"}}]},
        {"outputs": [{"name": "label"}] * 65},
        {"parameters": []},
        {"parameters": {"binary_data_output": "yes"}},
    ],
)
def test_what_stands_beside_the_inputs_and_cannot_be_used_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(BadInferRequest, match="cannot be used"):
        parse(body(tensor(), **more), None, MOST)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(BadInferRequest) as caught:
        parse(body(tensor(shape=[-1], datatype="X"), 7, id=7, outputs=[{}]), None, MOST)
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize("length", [b"", b"0", b"-1", b"abc", b"1e3", b"9" * 30, b"\xb2", b"100000", b"5"])
def test_a_length_of_the_json_that_cannot_be_one_is_refused(length: bytes) -> None:
    with pytest.raises(BadInferRequest):
        parse(body(tensor()), length, MOST)


@pytest.mark.parametrize("sizes", [(15,), (17,), (16, 0), (8, 7), (2**62, 2**62)])
def test_bytes_behind_the_json_that_are_not_what_the_inputs_say_are_refused(sizes: tuple[int, ...]) -> None:
    inputs = [{**tensor(name=f"i{n}"), "parameters": {"binary_data_size": size}} for n, size in enumerate(sizes)]
    for one in inputs:
        del one["data"]
    head = body(*inputs)
    with pytest.raises((BadInferRequest, BadTensor)):
        read(head + bytes(16), str(len(head)).encode())


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000, b'{"inputs": null}', b"{}"])
def test_a_body_that_is_no_request_is_refused(content: bytes) -> None:
    with pytest.raises(BadInferRequest):
        parse(content, None, MOST)


def test_far_more_numbers_than_the_model_takes_are_not_even_parsed() -> None:
    with pytest.raises(BadInferRequest, match="far more"):
        parse(b"1," * 200_000, None, MOST)


@given(st.binary(max_size=300), st.none() | st.binary(max_size=4))
def test_no_body_brings_down_the_reader(content: bytes, length: bytes | None) -> None:
    with pytest.raises(InvalidInput):
        read(content, length)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["name", "shape", "datatype", "data", "parameters"]), VALUES),
    st.dictionaries(st.sampled_from(["id", "outputs", "parameters", "inputs"]), VALUES),
)
def test_a_request_with_any_value_in_any_place_is_read_or_refused(given: dict[str, Any], more: dict[str, Any]) -> None:
    content = json.dumps({"inputs": [tensor(**given)], **more}).encode()
    try:
        found = read(content)
    except InvalidInput:
        return
    assert len(found) in range(1, 5)
