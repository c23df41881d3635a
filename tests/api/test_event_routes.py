"""Usage events and usage tables over HTTP, in this process."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from modelmint.api.app import Application
from modelmint.commerce.metering.cloudevents import events_from
from modelmint.kit.canonical import plain
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished

BATCH, ONE = "application/cloudevents-batch+json", "application/cloudevents+json"


class Sender:
    """A new customer of the shop, with a key, who reports events."""

    def __init__(self, app: Application, name: str, scopes: tuple[str, ...] = ("events", "usage")) -> None:
        books = app.service.shop.books
        self.app, self.books = app, books
        self.customer = books.add_customer(name, "")
        books.subscribe(self.customer.id, "payg")
        self.key, self.secret = books.add_key(self.customer.id, "jobs", scopes=scopes)

    def event(self, name: str, **more: Any) -> dict[str, Any]:
        data = {"meter": "tokens", **more.pop("data", {})}
        return {"specversion": "1.0", "id": name, "source": "/jobs", "type": "dev.modelmint.usage",
                "time": plain(self.books.now()), "data": data, **more}  # fmt: skip

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            headers = {"Authorization": f"Bearer {self.secret}", **more.pop("headers", {})}
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
                return await http.request(method, path, headers=headers, **more)

        return asyncio.run(once())

    def report(self, content: Any, kind: str = BATCH, **headers: str) -> httpx.Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.ask("POST", "/v1/events", content=body, headers={"Content-Type": kind, **headers})

    def tokens(self) -> str:
        return str(self.ask("GET", "/v1/usage").json()["by_meter"].get("tokens", "0"))


def test_a_batch_is_recorded_and_stands_in_the_usage_at_once(app: Application) -> None:
    sender = Sender(app, "batch")
    found = sender.report([sender.event("a", data={"quantity": 2.5}), sender.event("b", data={"quantity": "0.25"})])
    assert (found.status_code, found.json()) == (200, {"accepted": 2, "duplicates": 0, "late": 0})
    assert sender.tokens() == "2.75"


def test_one_event_may_come_structured_binary_or_in_a_plain_list(app: Application) -> None:
    sender = Sender(app, "modes")
    assert sender.report(sender.event("structured"), ONE).json()["accepted"] == 1
    headers = {
        f"ce-{name}": str(sender.event("binary")[name]) for name in ("specversion", "id", "source", "type", "time")
    }
    assert sender.report({"meter": "tokens"}, "application/json", **headers).json()["accepted"] == 1
    assert sender.report({"events": [sender.event("plain")]}, "application/json; charset=utf-8").json()["accepted"] == 1
    assert sender.tokens() == "3"


def test_a_batch_sent_again_changes_nothing(app: Application) -> None:
    sender = Sender(app, "again")
    batch = [sender.event("a"), sender.event("b")]
    sender.report(batch)
    assert sender.report(batch).json() == {"accepted": 0, "duplicates": 2, "late": 0}
    assert sender.tokens() == "2"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"data": {"quantity": -1}}, 422, "negative_quantity"),
        ({"data": {"quantity": "-0.5"}}, 422, "negative_quantity"),
        ({"data": {"quantity": 0.1234567}}, 422, "too_precise"),
        ({"data": {"quantity": True}}, 422, "bad_events"),
        ({"data": {"quantity": "1e3"}}, 422, "bad_events"),
        ({"data": {"quantity": 10**10}}, 422, "bad_events"),
        ({"data": {"meter": "Tokens"}}, 422, "bad_events"),
        ({"data": {"model": "Zephyrine Quackenbush"}}, 422, "bad_events"),
        ({"data": {"model": "x" * 65}}, 422, "bad_events"),
        ({"data": {"model": 7}}, 422, "bad_events"),
        ({"data": {"variant": "=1+1"}}, 422, "bad_events"),
        ({"data": {"variant": "a\n"}}, 422, "bad_events"),
        ({"data": {"state": "born 1977"}}, 422, "bad_events"),
        ({"data": {"amount": "5.00 EUR"}}, 422, "mixed_currencies"),
        ({"data": {"amount": "-5.00 USD"}}, 422, "negative_quantity"),
        ({"time": "2099-01-01T00:00:00Z"}, 422, "event_in_future"),
        ({"time": "2020-01-01T00:00:00Z"}, 422, "event_too_old"),
        ({"time": "2026-11-03T10:00:00"}, 422, "bad_events"),
        ({"time": None}, 422, "bad_events"),
        ({"specversion": "0.3"}, 422, "unknown_specversion"),
        ({"id": ""}, 422, "bad_events"),
        ({"id": "a\nb"}, 422, "bad_events"),
        ({"source": "x" * 257}, 422, "bad_events"),
    ],
)
def test_what_cannot_be_billed_is_refused_with_its_code_and_nothing_of_the_batch_is_stored(
    app: Application, more: dict[str, Any], status: int, code: str, request: pytest.FixtureRequest
) -> None:
    sender = Sender(app, request.node.name)
    found = sender.report([sender.event("good"), sender.event("bad", **more)])
    problem = found.json()
    assert (found.status_code, problem["code"]) == (status, code), problem
    assert [told["index"] for told in problem["events"]] == [1]
    assert sender.tokens() == "0"


def test_an_event_dated_next_year_is_refused(app: Application) -> None:
    sender = Sender(app, "next year")
    later = plain(sender.books.now() + timedelta(days=365))
    assert sender.report([sender.event("a", time=later)]).json()["code"] == "event_in_future"
    assert sender.tokens() == "0"


def test_every_problem_of_every_event_is_told_at_once(app: Application) -> None:
    sender = Sender(app, "all at once")
    bad = sender.event("a", time="yesterday", data={"quantity": -1, "meter": ""})
    problem = sender.report([bad, sender.event("b"), "no event", sender.event("c", specversion="2")]).json()
    assert problem["code"] == "bad_events"
    assert [(told["index"], told["code"]) for told in problem["events"]] == [
        (0, "bad_events"), (0, "bad_events"), (0, "negative_quantity"), (2, "bad_events"), (3, "unknown_specversion")
    ]  # fmt: skip


def test_a_known_id_with_other_content_is_a_conflict(app: Application) -> None:
    sender = Sender(app, "conflict")
    sender.report([sender.event("a")])
    found = sender.report([sender.event("b"), sender.event("a", data={"quantity": 2})])
    assert (found.status_code, found.json()["code"]) == (409, "event_conflict")
    assert sender.tokens() == "1"


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"[", BATCH, 422, "bad_events"),
        (b"[]", BATCH, 422, "bad_events"),
        (b"{}", BATCH, 422, "bad_events"),
        (b"[NaN]", BATCH, 422, "bad_events"),
        (b'[{"a": 1e999999999}]', BATCH, 422, "bad_events"),
        (b"[" * 100_000, BATCH, 422, "bad_events"),
        (b'{"quantity": 1}', "application/json", 422, "bad_events"),
        (b"a,b", "text/csv", 415, "unsupported_media_type"),
        (json.dumps([1] * 10_001).encode(), BATCH, 413, "too_many_events"),
        (b" " * (11 * 2**20), BATCH, 413, "body_too_large"),
    ],
)
def test_a_body_that_is_no_batch_is_refused(app: Application, body: bytes, kind: str, status: int, code: str) -> None:
    sender = Sender(app, f"{code} {status} {kind} {body[:9]!r}")
    found = sender.report(body, kind)
    assert (found.status_code, found.json()["code"]) == (status, code)


def test_a_stranger_and_a_key_without_the_scope_record_nothing(app: Application) -> None:
    sender = Sender(app, "scopes", scopes=("predict", "usage"))
    assert sender.report([sender.event("a")]).json()["code"] == "key_lacks_scope"
    assert sender.ask("GET", "/v1/events").status_code == 403
    sender.secret = "mm_stranger"
    assert sender.report([sender.event("a")]).status_code == 401


def test_calls_and_events_are_read_back_as_cloudevents_and_only_the_own_ones(
    app: Application, furnished: Furnished
) -> None:
    sender = Sender(app, "log", scopes=("events", "predict", "usage"))
    image = {"Content-Type": "image/png"}
    answer = sender.ask("POST", "/v1/models/brightness/predict", content=picture(250), headers=image).json()
    sent = sender.event("a", subject="job 7", data={"quantity": "1.5", "note": "x"})
    sender.report([sent])
    first = sender.ask("GET", "/v1/events?limit=1").json()
    second = sender.ask("GET", f"/v1/events?limit=1&after={first['next']}").json()
    (call,), (event,) = first["events"], second["events"]
    assert (call["type"], call["source"]) == ("dev.modelmint.call", "/ventures/brightness/models/brightness")
    assert (call["data"]["prediction"], call["data"]["pixels"], call["data"]["state"]) == (answer["id"], 256, "ok")
    assert float(call["data"]["wall_ms"]) > 0
    assert {**event, "data": {**event["data"], "state": "ok"}} == {
        **sent, "datacontenttype": "application/json", "data": {**sent["data"], "state": "ok"}
    }  # fmt: skip


def test_usage_is_cut_by_what_is_asked_and_comes_as_csv_that_runs_nothing(app: Application) -> None:
    sender = Sender(app, "tables")
    sender.report([sender.event("b")])
    (odd,) = events_from([sender.event("a", data={"quantity": 3})], sender.books.now())
    # No such name comes in by the door any more.
    sender.books.meters.record(sender.customer.id, sender.key.id, [replace(odd, model="=HYPERLINK()")])
    rows = sender.ask("GET", "/v1/usage?by=model").json()["rows"]
    assert rows == [
        {"model": "", "meter": "tokens", "n": 1, "quantity": "1"},
        {"model": "=HYPERLINK()", "meter": "tokens", "n": 1, "quantity": "3"},
    ]
    found = sender.ask("GET", "/v1/usage?by=model,key&format=csv")
    assert found.headers["content-type"].startswith("text/csv")
    assert list(csv.reader(io.StringIO(found.text))) == [
        ["model", "key", "meter", "n", "quantity"],
        ["", sender.key.id, "tokens", "1", "1"],
        ["'=HYPERLINK()", sender.key.id, "tokens", "1", "3"],
    ]


@pytest.mark.parametrize("query", ["by=colour", "format=xml", "period=2026-13"])
def test_a_table_that_cannot_be_made_is_refused(app: Application, query: str) -> None:
    sender = Sender(app, query)
    assert sender.ask("GET", f"/v1/usage?{query}").status_code == 422


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=10001", "after=nowhere"])
def test_a_page_that_cannot_be_had_is_refused(app: Application, query: str) -> None:
    sender = Sender(app, query)
    assert sender.ask("GET", f"/v1/events?{query}").status_code == 422


@pytest.mark.parametrize("limit", ["0000000010000000000", "9" * 5000, "\u0661\u0660", "+5", "1_0", ""])
def test_a_number_is_read_whole_or_not_at_all(app: Application, limit: str) -> None:
    sender = Sender(app, f"number {limit[:20]!r} {len(limit)}")
    for path in ("/v1/events", "/admin/v1/webhooks/deliveries", "/admin/v1/audit"):
        secret = {"Authorization": f"Bearer {app.service.admin_token}"} if path.startswith("/admin") else {}
        answer = sender.ask("GET", path, params={"limit": limit}, headers=secret)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_field"), path


@pytest.mark.parametrize(
    "period", ["9999-11", "9999-12", "0000-01", "0001-01", "1969-12", "\u0662\u0660\u0662\u0666-11"]
)
def test_a_period_beyond_the_calendar_is_refused(app: Application, period: str) -> None:
    sender = Sender(app, f"period {period}")
    for path in ("/v1/usage", "/v1/events"):
        answer = sender.ask("GET", path, params={"period": period})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_period")


@pytest.mark.parametrize("period", ["1970-01", "9998-12"])
def test_the_first_and_the_last_period_are_read(app: Application, period: str) -> None:
    sender = Sender(app, f"period {period}")
    assert all(
        sender.ask("GET", path, params={"period": period}).status_code == 200 for path in ("/v1/usage", "/v1/events")
    )
