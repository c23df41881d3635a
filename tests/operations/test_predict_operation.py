"""One paid call against real books and a real host: what is billed and what is not."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from modelmint.api.problems import status_of
from modelmint.bootstrap import Shop, open_shop
from modelmint.commerce.errors import IdempotencyMismatch, TrialSpent, Unauthenticated
from modelmint.data.errors import NotAPicture
from modelmint.inference.explain import Explanation, png
from modelmint.kit.period import month_of
from modelmint.operations.composing import Composed
from modelmint.operations.deploy import Follower
from modelmint.operations.predict import UNKNOWN_MODEL, Predict, PredictReply, PredictRequest
from modelmint.serving.errors import ClientGone, EngineFailed, NotServed, Overloaded, TooManyExplanations
from modelmint.serving.host import ModelHost
from modelmint.serving.types import HostLimits
from modelmint.tasks.errors import BadTensor
from modelmint.tasks.predictions import answers_of, shown
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished, furnish

BRIGHT = picture(250)


class Counter:
    """The operation and the books behind it."""

    def __init__(self, furnished: Furnished, shop: Shop, host: ModelHost) -> None:
        self.furnished, self.shop, self.host = furnished, shop, host
        self.predict = Predict(shop.books, host, status_of)

    def ask(
        self, *payloads: bytes, model: str = "brightness", secret: str | None = None, **more: object
    ) -> PredictReply:
        digest = hashlib.sha256((secret or self.furnished.secret).encode()).hexdigest()
        request = PredictRequest(model, payloads or (BRIGHT,), digest, **more)  # type: ignore[arg-type]  # test sugar
        return self.predict(request).result(timeout=120)

    def encoded(self, **more: object) -> PredictReply:
        digest = hashlib.sha256(self.furnished.secret.encode()).hexdigest()
        request = PredictRequest("brightness", (), digest, **more)  # type: ignore[arg-type]  # test sugar
        return self.predict(request).result(timeout=120)

    def rows(self) -> list[tuple[int, str, bool]]:
        rows = self.shop.books.outcomes(self.furnished.customer)
        return [(row.status, row.code, row.billable) for row in rows]


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    furnished = furnish(tmp_path, plan="trial")
    with open_shop(tmp_path) as shop:
        host = ModelHost(shop.shelf, HostLimits(max_queue=4))
        Follower(shop.books, host).follow()
        yield Counter(furnished, shop, host)
        host.close()


def test_an_answered_call_is_billed_and_its_row_says_what_made_it(counter: Counter) -> None:
    reply = counter.ask()
    answer = json.loads(reply.body)
    assert (answer["label"], answer["remaining"], reply.replayed) == ("bright", 2, False)
    (row,) = counter.shop.books.outcomes(counter.furnished.customer)
    assert (row.status, row.code, row.billable, row.calls, row.items) == (200, "ok", True, 1, 1)
    assert (row.release, row.variant, shown(row.prediction)) == (answer["release"], "default", answer["id"])
    assert float(row.compute_ms) == answer["compute_ms"]
    assert (row.state, row.pixels, row.characters, row.tokens) == ("ok", 256, 0, 0)
    assert row.wall_ms > 0
    (told,) = answers_of(row.prediction or "")
    assert (told.label, told.abstained) == (1, False)  # for feedback: what was really answered
    assert told.probability == pytest.approx(answer["probability"], abs=0.001)


def test_a_call_of_which_every_prediction_abstained_is_settled_as_abstained(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = counter.host.lane("brightness").task
    honest = task.decode
    monkeypatch.setattr(
        task, "decode", lambda *given: [dataclasses.replace(one, abstained=True) for one in honest(*given)]
    )
    counter.ask(BRIGHT, BRIGHT)
    (row,) = counter.shop.books.outcomes(counter.furnished.customer)
    assert (row.state, row.pixels) == ("abstained", 512)


def test_a_failed_call_leaves_a_row_is_not_billed_and_gives_its_place_in_the_plan_back(counter: Counter) -> None:
    with pytest.raises(NotAPicture):
        counter.ask(b"no picture")
    assert counter.rows() == [(422, "not_a_picture", False)]
    assert [json.loads(counter.ask().body)["remaining"] for _ in range(3)] == [2, 1, 0]
    with pytest.raises(TrialSpent):
        counter.ask()
    assert counter.rows()[-1] == (402, "trial_spent", False)


def test_an_unknown_model_leaves_a_row_under_one_common_name(counter: Counter) -> None:
    for name in ("invented", "made-up"):
        with pytest.raises(NotServed):
            counter.ask(model=name)
    assert counter.rows() == [(404, "unknown_model", False)] * 2
    assert counter.shop.books.counts() == {(UNKNOWN_MODEL, 404, "unknown_model"): 2}


def test_a_stranger_leaves_no_row_even_with_an_unknown_model(counter: Counter) -> None:
    for model in ("brightness", "invented"):
        with pytest.raises(Unauthenticated):
            counter.ask(model=model, secret="mm_stranger")
    assert counter.shop.books.counts() == {}


def test_a_caller_that_is_gone_is_not_billed(counter: Counter) -> None:
    with pytest.raises(ClientGone):
        counter.ask(wanted=lambda: False)
    answers = iter([True, False])  # still there when work began, gone when the answer was ready
    with pytest.raises(ClientGone):
        counter.ask(wanted=lambda: next(answers))
    assert counter.rows() == [(499, "client_gone", False)] * 2
    assert counter.shop.books.usage(counter.furnished.customer, month_of(counter.shop.books.now())).calls == 0


def test_an_overloaded_host_refuses_before_admission_and_leaves_a_row(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counter.host.lane("brightness"), "full", lambda: True)
    with pytest.raises(Overloaded) as caught:
        counter.ask()
    assert caught.value.retry_after is not None
    assert counter.rows() == [(503, "overloaded", False)]


def test_a_retry_under_its_key_replays_the_stored_bytes_and_another_body_is_refused(counter: Counter) -> None:
    first = counter.ask(idempotency_key="a", body_digest="1" * 64)
    again = counter.ask(idempotency_key="a", body_digest="1" * 64)
    assert (again.body, again.replayed) == (first.body, True)
    with pytest.raises(IdempotencyMismatch):
        counter.ask(idempotency_key="a", body_digest="2" * 64)
    assert [row for row in counter.rows() if row[2]] == [(200, "ok", True)]


def test_a_failed_call_may_be_tried_again_under_the_same_key(counter: Counter) -> None:
    with pytest.raises(ClientGone):
        counter.ask(idempotency_key="b", body_digest="1" * 64, wanted=lambda: False)
    reply = counter.ask(idempotency_key="b", body_digest="1" * 64)
    assert (json.loads(reply.body)["label"], reply.replayed) == ("bright", False)


def test_an_explained_call_is_metered_by_item_and_a_plain_one_is_not(counter: Counter) -> None:
    answer = json.loads(counter.ask(picture(220, noise=30), BRIGHT, explain=True).body)
    counter.ask()
    assert [row.explanations for row in counter.shop.books.outcomes(counter.furnished.customer)] == [2, 0]
    for prediction in answer["predictions"]:
        found = prediction["explanation"]
        assert (found["kind"], found["label"], found["grid"], found["passes"]) == ("occlusion", "bright", [7, 7], 49)
        assert base64.b64decode(found["png"]).startswith(b"\x89PNG")
    hottest = [max(max(row) for row in one["explanation"]["values"]) for one in answer["predictions"]]
    assert hottest == [1.0, 0.0]  # of a picture of one colour every part is the same when it is painted over
    assert answer["compute_ms"] > sum(prediction["explanation"]["ms"] for prediction in answer["predictions"])


def test_a_call_with_too_many_items_to_explain_leaves_a_row_and_is_not_billed(counter: Counter) -> None:
    with pytest.raises(TooManyExplanations):
        counter.ask(*[BRIGHT] * 9, explain=True)
    assert counter.rows() == [(413, "too_many_explanations", False)]


def test_an_answer_that_is_kept_for_a_retry_draws_its_map_without_the_picture(counter: Counter) -> None:
    seen = picture(220, noise=30)
    kept = json.loads(counter.ask(seen, idempotency_key="kept", body_digest="d", explain=True).body)
    sent = json.loads(counter.ask(seen, explain=True).body)
    kept, sent = (answer["predictions"][0]["explanation"] for answer in (kept, sent))
    assert kept["values"] == sent["values"]
    told = Explanation(kept["kind"], kept["label"], (7, 7), tuple(map(tuple, kept["values"])), kept["passes"], 0.0)
    assert base64.b64decode(kept["png"]) == png(told, (16, 16))
    assert base64.b64decode(sent["png"]) == png(told, seen) != png(told, (16, 16))


def test_a_retry_of_an_explained_call_gets_the_same_bytes_and_is_not_metered_again(counter: Counter) -> None:
    first = counter.ask(idempotency_key="again", body_digest="d", explain=True)
    second = counter.ask(idempotency_key="again", body_digest="d", explain=True)
    assert (second.body, second.replayed) == (first.body, True)
    assert [row.explanations for row in counter.shop.books.outcomes(counter.furnished.customer)] == [1, 0]


def test_an_encoded_input_is_billed_like_a_picture_and_the_caller_composes_the_answer(counter: Counter) -> None:
    bright = np.ones((2, 1, 8, 8), dtype=np.float32)

    def compose(made: Composed) -> bytes:
        assert made.answer.outputs is not None
        return f"{made.model} {made.admitted.plan} {made.answer.outputs.tolist()}".encode()

    given = {"tensor": bright, "compose": compose, "idempotency_key": "k", "body_digest": "d"}
    reply = counter.encoded(**given)
    assert reply.body == b"brightness trial [[-4.0, 4.0], [-4.0, 4.0]]"
    assert counter.encoded(**given).replayed
    row, replay = counter.shop.books.outcomes(counter.furnished.customer)
    assert (row.calls, row.items, row.pixels, row.billable) == (2, 2, 128, True)
    assert not replay.billable


def test_a_bad_tensor_and_an_answer_that_cannot_be_composed_are_not_billed(counter: Counter) -> None:
    bright = np.ones((1, 1, 8, 8), dtype=np.float32)

    def broken(_: Composed) -> bytes:
        raise ZeroDivisionError

    with pytest.raises(BadTensor):
        counter.encoded(tensor=bright * np.nan)
    with pytest.raises(EngineFailed):
        counter.encoded(tensor=bright, compose=broken)
    assert counter.rows() == [(422, "bad_tensor", False), (500, "engine_failed", False)]
