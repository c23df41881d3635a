"""Rates, idempotent retries and what a paid answer holds, through a real server."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelmint.api.candidate import server_process
from modelmint.testing.pictures import picture
from modelmint.testing.shops import furnish
from modelmint.testing.ventures import venture_text


@pytest.fixture(scope="module")
def slow_plan(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """A shop whose clinic plan allows two calls a minute: half a minute passes before there is a third."""
    root: Path = tmp_path_factory.mktemp("rates")
    shop = furnish(root, plan="clinic", venture=venture_text(calls_per_minute=2))
    with server_process(root, workers=2) as state:
        yield shop, state["url"]


def test_calls_beyond_the_rate_get_429_and_say_when_to_come_back(slow_plan: tuple[Any, str], tools: Any) -> None:
    shop, url = slow_plan
    line = tools.Line(url, shop.secret)
    answers = [line.predict() for _ in range(4)]
    assert [answer.status for answer in answers] == [200] * 2 + [429] * 2
    assert answers[0].headers["ratelimit-limit"] == "2"
    assert answers[0].headers["ratelimit-policy"] == '"minute";q=2;w=60'
    assert [answer.headers["ratelimit-remaining"] for answer in answers[:2]] == ["1", "0"]
    assert answers[0].headers["ratelimit"] == '"minute";r=1;t=30'
    assert answers[0].headers["ratelimit-reset"] == "30"
    refused = answers[2]
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    usage = line.send("GET", "/v1/usage").json
    assert (usage["calls"], usage["refused"]) == (2, {"rate_limited": 2})


def test_one_picture_is_answered_the_same_in_every_form(served: Any) -> None:
    line, content = served.line(), picture(240)
    text = base64.b64encode(content).decode()
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + content + b"\r\n--b--\r\n"
    forms = [
        (content, "image/png"),
        (content, "application/octet-stream"),
        (part, "multipart/form-data; boundary=b"),
        (json.dumps({"image": text}).encode(), "application/json"),
        (json.dumps({"images": [f"data:image/png;base64,{text}"]}).encode(), "application/json; charset=utf-8"),
        (json.dumps({"inputs": [{"b64": text}]}).encode(), "application/json"),
    ]
    found = [line.predict(payload=body, Content_Type=kind) for body, kind in forms]
    assert [answer.status for answer in found] == [200] * 6
    first = found[0].json
    assert first["label"] == "bright"
    assert first["release"] == served.shop.release
    assert first["use"] == "for tests only"
    assert first["plan"] == "payg"
    assert first["compute_ms"] > 0
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    assert first["predictions"] == [
        {key: first[key] for key in ("id", "label", "probability", "probabilities", "abstained")}
    ]
    assert {json.dumps(answer.json["probabilities"]) for answer in found} == {json.dumps(first["probabilities"])}
    assert len({answer.json["id"] for answer in found}) == 6


def test_many_pictures_in_one_request_are_answered_in_order_and_each_is_billed(served: Any) -> None:
    before = served.usage()
    levels = [10, 250, 30, 240, 20]
    images = [base64.b64encode(picture(level)).decode() for level in levels]
    answer = served.line().predict(payload=json.dumps({"images": images}).encode(), Content_Type="application/json")
    assert [item["label"] for item in answer.json["predictions"]] == ["dark", "bright", "dark", "bright", "dark"]
    assert "label" not in answer.json
    after = served.usage()
    assert after["calls"] - before["calls"] == 5
    assert after["items"] - before["items"] == 5


def test_one_bad_picture_among_good_ones_is_named_and_the_call_is_not_billed(served: Any) -> None:
    before = served.usage()
    images = [base64.b64encode(content).decode() for content in (picture(1), b"nonsense", picture(2))]
    answer = served.line().predict(payload=json.dumps({"images": images}).encode(), Content_Type="application/json")
    assert (answer.status, answer.json["code"], answer.json["input"]) == (422, "not_a_picture", 1)
    assert "input 2 of 3" in answer.json["detail"]
    assert served.usage()["calls"] == before["calls"]


def test_a_retry_with_the_same_idempotency_key_is_free_and_gives_the_same_bytes(served: Any) -> None:
    before = served.usage()
    line = served.line()
    first = line.predict(Idempotency_Key="once")
    again = [served.line().predict(Idempotency_Key="once") for _ in range(3)]
    assert first.status == 200
    assert "idempotent-replay" not in first.headers
    assert [answer.headers["idempotent-replay"] for answer in again] == ["true"] * 3
    assert {answer.body for answer in again} == {first.body}
    assert served.usage()["calls"] == before["calls"] + 1
    other = line.predict(payload=picture(3), Idempotency_Key="once")
    assert (other.status, other.json["code"]) == (422, "idempotency_mismatch")
    assert served.usage()["calls"] == before["calls"] + 1


def test_a_month_of_calls_becomes_an_invoice_that_only_its_customer_sees(served: Any) -> None:
    key = served.customer("Invoice Clinic", "payg")
    line = served.line(key)
    answers = [line.predict() for _ in range(25)]
    assert {answer.status for answer in answers} == {200}
    month = served.usage(key)["period"]["start"][:7]
    made = served.founder("POST", "/customers/Invoice%20Clinic/invoices", {"period": month, "until_now": True})[
        "invoices"
    ]
    assert len(made) == 1
    assert [line["quantity"] for line in made[0]["lines"]] == [25]
    assert made[0]["total"] == {"amount": "0.50", "minor": 50, "currency": "USD"}
    seen = line.send("GET", f"/v1/invoices/{made[0]['id']}")
    assert seen.json["total"]["minor"] == 50
    text = line.send("GET", f"/v1/invoices/{made[0]['id']}?format=text")
    assert text.headers["content-type"].startswith("text/plain")
    assert b"0.50" in text.body and b"for tests only" in text.body
    assert served.line().send("GET", f"/v1/invoices/{made[0]['id']}").status == 404
    assert served.line().send("GET", "/v1/usage?period=2026-13").json["code"] == "bad_period"
