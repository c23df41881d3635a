"""Every refusal of the issue, through a real server: its status, its problem, and that nothing is billed."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from modelmint.testing.pictures import picture


def jpeg(side: int = 64) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 40).save(buffer, format="JPEG")
    return buffer.getvalue()


def png_bomb(side: int) -> bytes:
    """A valid PNG of ``side`` x ``side`` pixels in a few kilobytes."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    row = b"\0" * (1 + side // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def check_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["code"] == code
    assert answer.json["type"] == f"urn:modelmint:problem:{code}"
    assert answer.json["title"] and answer.json["detail"]
    return dict(answer.json)


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        (b"this is not a picture", 422, "not_a_picture"),
        (jpeg()[:-200], 422, "truncated_picture"),
        (png_bomb(40_000), 413, "too_many_pixels"),
        (b"", 422, "empty_input"),
    ],
    ids=["text", "truncated-jpeg", "40000-px-png", "nothing"],
)
def test_an_input_that_is_no_usable_picture_is_refused_and_not_billed(
    served: Any, payload: bytes, status: int, code: str
) -> None:
    before = served.usage()
    answer = served.line().send("POST", "/v1/models/brightness/predict", payload)
    check_problem(answer, status, code)
    after = served.usage()
    assert after["calls"] == before["calls"]
    assert after["refused"].get(code, 0) == before["refused"].get(code, 0) + 1


def test_a_stranger_a_wrong_key_and_a_revoked_key_get_401_and_leave_no_trace(served: Any) -> None:
    before = served.usage()
    made = served.line().send("POST", "/v1/keys", b'{"name": "short-lived"}')
    assert made.status == 201
    secret, identity = made.json["secret"], made.json["id"]
    assert served.line(secret).predict().status == 200
    assert served.line().send("DELETE", f"/v1/keys/{identity}").json["revoked_at"] is not None
    for key in ("", "mm_wrong", "x", secret):
        answer = served.line(key).predict()
        check_problem(answer, 401, "unauthenticated")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    after = served.usage()
    assert after["calls"] == before["calls"] + 1
    assert after["refused"] == before["refused"]


def test_a_spent_trial_gets_402_and_names_the_plans_to_buy(served: Any) -> None:
    key = served.customer("Trial Clinic", "trial")
    line = served.line(key)
    answers = [line.predict() for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 402]
    assert [answer.json["remaining"] for answer in answers[:3]] == [2, 1, 0]
    assert answers[0].headers["ratelimit"] == '"plan";r=2'
    problem = check_problem(answers[3], 402, "trial_spent")
    assert problem["plans"] == ["payg", "clinic"]
    usage = served.usage(key)
    assert (usage["calls"], usage["refused"]) == (3, {"trial_spent": 1})


def test_an_unknown_model_gets_404_with_the_nearest_name(served: Any) -> None:
    before = served.usage()
    problem = check_problem(served.line().predict("brightnes"), 404, "unknown_model")
    assert "'brightness'" in problem["detail"]
    assert served.usage()["calls"] == before["calls"]


def test_a_body_over_the_limit_gets_413_with_and_without_its_length(served: Any) -> None:
    before = served.usage()
    large = b"x" * (11 * 2**20)
    line = served.line()
    check_problem(line.predict(payload=large), 413, "body_too_large")
    check_problem(line.send("POST", "/v1/models/brightness/predict", iter([large])), 413, "body_too_large")  # type: ignore[arg-type]  # http.client sends an iterator in chunks
    assert line.predict().status == 200  # the line is still good
    after = served.usage()
    assert after["calls"] == before["calls"] + 1
    assert after["refused"]["body_too_large"] == 2


def test_too_many_inputs_in_one_call_get_413(served: Any) -> None:
    images = [base64.b64encode(picture(9)).decode()] * 65
    answer = served.line().predict(payload=json.dumps({"images": images}).encode(), Content_Type="application/json")
    assert check_problem(answer, 413, "too_many_inputs")["limit"] == 64


def test_bodies_that_cannot_be_read_say_why(served: Any) -> None:
    line = served.line()
    check_problem(line.predict(payload=b"{", Content_Type="application/json"), 400, "bad_request_body")
    check_problem(line.predict(payload=b"x", Content_Type="text/html"), 415, "unsupported_media_type")
    check_problem(line.predict(payload=b"x", Content_Type="multipart/form-data"), 400, "bad_multipart")
    check_problem(
        line.predict(payload=b"--b\r\nhalf", Content_Type="multipart/form-data; boundary=b"), 400, "bad_multipart"
    )
    check_problem(line.predict(Idempotency_Key="k" * 300), 400, "bad_header")


def test_what_the_router_does_not_know_is_a_problem_too(served: Any) -> None:
    line = served.line()
    check_problem(line.send("GET", "/nowhere"), 404, "no_such_route")
    wrong = line.send("GET", "/v1/models/brightness/predict")
    check_problem(wrong, 405, "wrong_method")
    assert wrong.headers["allow"] == "POST"
    check_problem(line.send("PUT", "/v1/usage"), 405, "wrong_method")


def test_the_founders_routes_need_the_founders_token(served: Any) -> None:
    for key in ("", served.shop.secret):
        answer = served.line(key).send("GET", "/admin/v1/customers")
        check_problem(answer, 401, "wrong_admin_token")
        assert "www-authenticate" in answer.headers
    assert len(served.founder("GET", "/customers")["customers"]) >= 1


def test_a_customer_cannot_see_or_revoke_what_belongs_to_another(served: Any) -> None:
    other = served.customer("Other Clinic", "payg")
    own = served.line().send("GET", "/v1/keys").json["keys"][0]["id"]
    check_problem(served.line(other).send("DELETE", f"/v1/keys/{own}"), 404, "unknown_key")
    check_problem(served.line(other).send("GET", "/v1/invoices/inv_none"), 404, "unknown_invoice")
    assert {key["customer"] for key in served.line(other).send("GET", "/v1/keys").json["keys"]} != set()


def test_every_answer_carries_the_security_headers_and_no_banner(served: Any) -> None:
    for answer in (served.line().predict(), served.line("").predict(), served.line().send("GET", "/nowhere")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers
