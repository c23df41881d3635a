"""The HTTP edge of the error tree."""

from __future__ import annotations

import json
import logging

import pytest

from modelmint.api.problems import STATUS, problem, status_of, title_of
from modelmint.commerce.errors import RateLimited, TrialSpent, Unauthenticated
from modelmint.kit.errors import CATEGORIES, Corrupted, InvalidInput, ModelmintError
from modelmint.serving.errors import Overloaded


def found(error: BaseException) -> tuple[int, dict[bytes, bytes], dict[str, object]]:
    status, headers, body = problem(error)
    return status, dict(headers), json.loads(body)


def test_every_category_has_a_status_and_a_leaf_may_name_a_more_exact_one() -> None:
    assert set(STATUS) == set(CATEGORIES)
    assert status_of(InvalidInput("x")) == 422
    assert status_of(TrialSpent("x")) == 402
    assert status_of(ModelmintError("x")) == 500


def test_a_problem_says_type_title_status_code_detail_and_what_belongs_to_the_code() -> None:
    status, headers, body = found(TrialSpent("3 of 3 used", details={"plans": ["payg"], "status": "forged"}))
    assert status == 402
    assert headers[b"content-type"] == b"application/problem+json"
    assert body == {
        "type": "urn:modelmint:problem:trial_spent",
        "title": title_of(TrialSpent),
        "status": 402,
        "code": "trial_spent",
        "detail": "3 of 3 used",
        "plans": ["payg"],
    }


def test_all_problems_travel() -> None:
    _, _, body = found(InvalidInput("two things", problems=["one", "two"]))
    assert body["problems"] == ["one", "two"]


def test_waiting_times_are_whole_seconds_rounded_up_and_never_nought() -> None:
    assert found(RateLimited("x", retry_after=0.2))[1][b"retry-after"] == b"1"
    assert found(RateLimited("x", retry_after=7.1))[1][b"retry-after"] == b"8"
    assert found(Overloaded("x"))[1][b"retry-after"] == b"1"
    assert b"retry-after" not in found(InvalidInput("x"))[1]


def test_401_says_how_to_authenticate() -> None:
    assert found(Unauthenticated("x"))[1][b"www-authenticate"].startswith(b"Bearer ")


def test_the_unforeseen_is_logged_under_an_instance_and_told_without_internals(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        status, _, body = found(ZeroDivisionError("secret path /root/x"))
    assert (status, body["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(body)
    assert str(body["instance"]).removeprefix("urn:modelmint:incident:") in caplog.text


def test_a_known_failure_of_ours_is_logged_too(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        status, _, body = found(Corrupted("the books are damaged"))
    assert status == 500
    assert str(body["instance"]).removeprefix("urn:modelmint:incident:") in caplog.text
