"""A request body as inputs, whatever its form."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmint.api.errors import BadMultipart, BadQuery, UnsupportedMediaType
from modelmint.api.payloads import payloads_from
from modelmint.kit.errors import InvalidInput, LimitExceeded
from modelmint.tasks.errors import BadRequestBody, EmptyInput, TooManyInputs
from modelmint.tasks.types import Wishes


def multipart(*parts: tuple[str, bytes], boundary: str = "xyz") -> bytes:
    body = b""
    for disposition, content in parts:
        body += f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


def test_raw_bytes_are_one_input_under_an_image_type_octet_stream_or_no_type() -> None:
    for kind in (b"image/png", b"image/x-anything; q=1", b"application/octet-stream", None, b""):
        assert payloads_from(kind, b"abc", 4) == [b"abc"]


def test_multipart_gives_its_files_in_order_and_passes_over_other_fields() -> None:
    body = multipart(
        ('name="note"', b"hello"), ('name="a"; filename="1.png"', b"one"), ('name="a"; filename="2.png"', b"\r\n--two")
    )
    assert payloads_from(b'multipart/form-data; boundary="xyz"', body, 4) == [b"one", b"\r\n--two"]


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=5))
def test_whatever_bytes_are_sent_as_files_come_out_unchanged(contents: list[bytes]) -> None:
    boundary = "b" + "7" * 30
    body = multipart(*[(f'name="f"; filename="{n}"', c) for n, c in enumerate(contents)], boundary=boundary)
    assert payloads_from(f"multipart/form-data; boundary={boundary}".encode(), body, 5) == contents


def test_a_multipart_body_without_boundary_end_or_file_is_refused() -> None:
    kind = b"multipart/form-data; boundary=xyz"
    with pytest.raises(BadMultipart, match="boundary"):
        payloads_from(b"multipart/form-data", b"", 4)
    with pytest.raises(BadMultipart, match="cut off"):
        payloads_from(kind, multipart(('name="a"; filename="1"', b"one"))[:-8], 4)
    with pytest.raises(BadMultipart):
        payloads_from(kind, b"nothing like it", 4)
    with pytest.raises(EmptyInput, match="file part"):
        payloads_from(kind, multipart(('name="a"', b"text")), 4)
    with pytest.raises(TooManyInputs):
        payloads_from(kind, multipart(*[('name="a"; filename="1"', b"x")] * 5), 4)


@pytest.mark.parametrize("boundary", [b"b" * 3000, b"\xff\xfe", b'"a b "'])
def test_a_boundary_that_cannot_be_one_is_refused(boundary: bytes) -> None:
    with pytest.raises(BadMultipart):
        payloads_from(b"multipart/form-data; boundary=" + boundary, multipart(('name="a"; filename="1"', b"x")), 4)


def test_json_carries_base64() -> None:
    text = base64.b64encode(b"abc").decode()
    assert payloads_from(b"application/json", json.dumps({"images": [text, text]}).encode(), 4) == [b"abc"] * 2


def test_another_media_type_is_refused_and_the_readable_ones_are_named() -> None:
    with pytest.raises(UnsupportedMediaType, match="multipart/form-data"):
        payloads_from(b"text/html", b"x", 4)


@given(
    st.sampled_from([b"application/json", b"multipart/form-data; boundary=a", b"image/png"]), st.binary(max_size=300)
)
def test_no_body_brings_down_the_reader(kind: bytes, body: bytes) -> None:
    try:
        count = len(payloads_from(kind, body, 4))
    except (InvalidInput, LimitExceeded):
        count = 1  # refused, and nothing else was raised
    assert 1 <= count <= 4


def test_a_wish_for_explanations_is_read_from_a_form_field_and_from_json() -> None:
    kind, picture = b"multipart/form-data; boundary=xyz", ('name="a"; filename="1"', b"x")
    text = base64.b64encode(b"abc").decode()
    for said, meant in ((b"true", True), (b" TRUE\r\n", True), (b"1", True), (b"false", False), (b"0", False)):
        wishes = Wishes()
        assert payloads_from(kind, multipart(('name="explain"', said), picture), 4, wishes) == [b"x"]
        assert wishes.explain is meant
    for flag in (True, False):
        wishes = Wishes()
        body = json.dumps({"image": text, "explain": flag}).encode()
        assert payloads_from(b"application/json", body, 4, wishes) == [b"abc"]
        assert wishes.explain is flag


def test_a_wish_that_is_neither_true_nor_false_is_refused() -> None:
    kind, picture = b"multipart/form-data; boundary=xyz", ('name="a"; filename="1"', b"x")
    with pytest.raises(BadQuery, match="expected true or false, found 'please'"):
        payloads_from(kind, multipart(('name="explain"', b"please"), picture), 4, Wishes())
    for value in ("true", 1, None, []):
        body = json.dumps({"image": "YQ==", "explain": value}).encode()
        with pytest.raises(BadRequestBody, match="explain: expected true or false"):
            payloads_from(b"application/json", body, 4, Wishes())


def test_a_file_called_explain_is_an_input_and_no_wish() -> None:
    wishes = Wishes()
    body = multipart(('name="explain"; filename="true"', b"true"))
    assert payloads_from(b"multipart/form-data; boundary=xyz", body, 4, wishes) == [b"true"]
    assert wishes == Wishes(explain=False)
