from __future__ import annotations

import base64
import json

import pytest

from modelmint.kit.errors import ModelmintError
from modelmint.tasks.errors import BadBase64, BadRequestBody, EmptyInput, TooManyInputs
from modelmint.tasks.requests import payloads_from_json

PICTURE = bytes(range(256))
B64 = base64.b64encode(PICTURE).decode()


def body(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "value",
    [
        {"image": B64},
        {"images": [B64]},
        {"inputs": [{"b64": B64}]},
        {"image": f"data:image/png;base64,{B64}"},
        {"image": f"data:image/png;name=a.png;base64,{B64}"},
        {"image": base64.encodebytes(PICTURE).decode()},
        {"image": base64.urlsafe_b64encode(PICTURE).decode().rstrip("=")},
        {"image": B64, "note": "other keys are for others"},
    ],
    ids=["image", "images", "inputs", "data-url", "data-url-parameters", "line-breaks", "url-safe", "other-keys"],
)
def test_every_form_gives_the_bytes_back(value: object) -> None:
    assert payloads_from_json(body(value), 1) == [PICTURE]


def test_several_pictures_keep_their_order() -> None:
    texts = [base64.b64encode(bytes([i])).decode() for i in range(5)]
    assert payloads_from_json(body({"images": texts}), 5) == [bytes([i]) for i in range(5)]


@pytest.mark.parametrize(
    ("raw", "error", "says"),
    [
        (b"", BadRequestBody, "expected JSON"),
        (b"{", BadRequestBody, "expected JSON"),
        (b"\xff\xfe\x00", BadRequestBody, "expected JSON"),
        (b"[" * 100_000, BadRequestBody, "expected JSON"),
        (b"[1]", BadRequestBody, "found a list"),
        (b"null", BadRequestBody, "found null"),
        (body({}), BadRequestBody, "no key"),
        (body({"picture": B64}), BadRequestBody, "found picture"),
        (body({"image": B64, "images": [B64]}), BadRequestBody, "exactly one"),
        (body({"images": B64}), BadRequestBody, "expected a list, found a text"),
        (body({"inputs": [{"b64": B64}, {"url": "x"}]}), BadRequestBody, "inputs[1]"),
        (body({"images": []}), EmptyInput, "at least one"),
        (body({"image": ""}), EmptyInput, "empty"),
        (body({"image": None}), BadBase64, "found null"),
        (body({"image": 7}), BadBase64, "found a number"),
        (body({"image": "not base64!"}), BadBase64, "expected base64"),
        (body({"image": "a"}), BadBase64, "expected base64"),
        (body({"image": "\u4e2d\u6587"}), BadBase64, "expected base64"),
        (body({"image": f"data:image/png,{B64}"}), BadBase64, "data URL"),
        (body({"images": [B64, "?"]}), BadBase64, "input 2 of 2"),
        (body({"images": [B64] * 3}), TooManyInputs, "at most 2 inputs in one call, found 3"),
    ],
)
def test_a_bad_body_is_refused_with_what_was_expected(raw: bytes, error: type[ModelmintError], says: str) -> None:
    with pytest.raises(error) as caught:
        payloads_from_json(raw, 2)
    assert says in str(caught.value)


def test_too_many_inputs_is_told_before_any_is_decoded() -> None:
    with pytest.raises(TooManyInputs) as caught:
        payloads_from_json(body({"images": ["?"] * 100}), 64)
    assert caught.value.details == {"limit": 64, "found": 100}
    assert caught.value.status == 413
