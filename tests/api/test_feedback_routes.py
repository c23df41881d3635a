"""Feedback, consent and leads over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from modelmint.api.app import Application
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished

Ask = Callable[..., Any]


@pytest.fixture
def ask(app: Application, furnished: Furnished) -> Ask:
    """The customer's request; the founder's below ``/admin``."""

    def once(method: str, path: str, secret: str = "", **more: Any) -> httpx.Response:
        token = secret or (app.service.admin_token if path.startswith("/admin") else furnished.secret)

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
                headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
                return await http.request(method, path, headers=headers, **more)

        return asyncio.run(send())

    return once


def predict(ask: Ask, *levels: int) -> dict[str, Any]:
    files = [("file", (f"{level}.png", picture(level), "image/png")) for level in levels or (240,)]
    answer = ask("POST", "/v1/models/brightness/predict", files=files)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_truth_is_stored_with_what_was_answered(ask: Ask, furnished: Furnished) -> None:
    made = predict(ask)
    told = ask("POST", "/v1/feedback", json={"prediction": made["id"], "truth": "dark", "comment": "a lamp\nwas on"})
    assert told.status_code == 201
    row = told.json()
    assert (row["answer"], row["truth"], row["release"], row["comment"]) == (
        "bright", "dark", furnished.release, "a lamp\nwas on",
    )  # fmt: skip
    assert row["probability"] == pytest.approx(made["probability"], abs=0.001)
    assert ask("GET", "/v1/feedback").json()["feedback"][0] == row


def test_the_same_again_answers_200_with_the_same_row(ask: Ask) -> None:
    body = {"prediction": predict(ask)["id"], "thumbs": "up"}
    first = ask("POST", "/v1/feedback", json=body, headers={"Idempotency-Key": "abc"})
    again = ask("POST", "/v1/feedback", json=body, headers={"Idempotency-Key": "abc"})
    assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
    other = ask("POST", "/v1/feedback", json={**body, "thumbs": "down"}, headers={"Idempotency-Key": "abc"})
    assert (other.status_code, other.json()["code"]) == (409, "feedback_conflict")


def test_one_of_several_inputs_is_named_by_its_own_id(ask: Ask) -> None:
    made = predict(ask, 240, 5)
    both = ask("POST", "/v1/feedback", json={"prediction": made["id"], "truth": "dark"})
    assert both.status_code == 422
    assert both.json()["problems"] == [f"this call had 2 inputs: name one of {made['id']}.0 to {made['id']}.1"]
    second = ask("POST", "/v1/feedback", json={"prediction": made["predictions"][1]["id"], "truth": "dark"})
    assert (second.status_code, second.json()["answer"]) == (201, "dark")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"truth": "grey"}, 422, "bad_feedback"),
        ({"thumbs": "sideways"}, 422, "bad_feedback"),
        ({}, 422, "bad_feedback"),
        ({"thumbs": "up", "comment": "x" * 2001}, 422, "bad_feedback"),
        ({"thumbs": "up", "comment": "\x00"}, 422, "bad_feedback"),
        ({"thumbs": 1}, 422, "bad_field"),
        ({"thumbs": "up", "label": "bright"}, 422, "bad_field"),
        ({"thumbs": "up", "prediction": "prd_" + "0" * 24}, 404, "unknown_prediction"),
        ({"thumbs": "up", "prediction": "'; DROP TABLE feedback; --"}, 404, "unknown_prediction"),
        ({"thumbs": "up", "prediction": None}, 422, "bad_field"),
    ],
)
def test_feedback_that_cannot_be_kept_is_told_what_is_wrong_with_it(
    ask: Ask, body: dict[str, Any], status: int, code: str
) -> None:
    before = len(ask("GET", "/admin/v1/feedback").json()["feedback"])
    told = ask("POST", "/v1/feedback", json={"prediction": predict(ask)["id"], **body})
    assert (told.status_code, told.json()["code"]) == (status, code)
    assert len(ask("GET", "/admin/v1/feedback").json()["feedback"]) == before


def test_another_customers_prediction_is_as_unknown_as_none(ask: Ask) -> None:
    made = ask("POST", "/admin/v1/customers", json={"name": "Stranger", "plan": "payg"}).json()
    told = ask("POST", "/v1/feedback", made["key"]["secret"], json={"prediction": predict(ask)["id"], "thumbs": "up"})
    assert (told.status_code, told.json()["code"]) == (404, "unknown_prediction")
    assert ask("GET", "/v1/feedback", made["key"]["secret"]).json() == {"feedback": [], "next": None}


def test_the_founder_sees_what_it_comes_to_and_metrics_count_it(ask: Ask, furnished: Furnished) -> None:
    for level, truth in ((240, "bright"), (240, "bright"), (10, "bright")):
        made = predict(ask, level)
        assert ask("POST", "/v1/feedback", json={"prediction": made["id"], "truth": truth}).status_code == 201
    found = ask("GET", "/admin/v1/feedback/summary").json()
    part = next(one for one in found["by_release"] if one["release"] == furnished.release)
    assert (
        part["agreement"]["n"] >= 3
        and part["agreement"]["low"] < part["agreement"]["value"] < part["agreement"]["high"]
    )
    assert found["confusion"]["bright"]["dark"] == 1
    metrics = ask("GET", "/metrics").text
    told = next(
        line
        for line in metrics.splitlines()
        if line.startswith('modelmint_feedback_total{model="brightness",kind="truth"}')
    )
    assert int(told.split()[-1]) >= 3
    mine = ask("GET", "/admin/v1/feedback/summary?customer=" + furnished.customer)
    assert mine.json()["agreement"] == found["agreement"]


def test_consent_is_the_customers_own_to_give_and_take(ask: Ask) -> None:
    assert ask("GET", "/v1/privacy").json() == {
        "inputs": False, "stored": False, "venture_stores_inputs": False, "keep_days": 30, "share": 1.0, "kept": 0,
    }  # fmt: skip
    assert ask("PUT", "/v1/privacy", json={"inputs": True}).json()["inputs"] is True
    assert ask("PUT", "/v1/privacy", json={"inputs": False}).json()["deleted"] == 0
    for wrong in ({"inputs": "yes"}, {}, {"inputs": True, "more": 1}):
        assert ask("PUT", "/v1/privacy", json=wrong).status_code == 422


def test_leads_are_the_founders_to_read_and_erase(ask: Ask, app: Application) -> None:
    app.service.shop.books.visitors.leave("ada@example.org", "", prediction=None, language="en", consent="yes")
    assert ask("GET", "/admin/v1/leads").json()["leads"][0]["email"] == "ada@example.org"
    assert ask("DELETE", "/admin/v1/leads/ada@example.org").json() == {"erased": 1}
    assert ask("DELETE", "/admin/v1/leads/ada@example.org").status_code == 404
