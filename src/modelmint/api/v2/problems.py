"""Errors in the protocol's form: ``{"error": "..."}``, with our code and details beside it."""

from __future__ import annotations

import json

from modelmint.api.problems import Headers, plain_problem, problem, told_json
from modelmint.api.respond import JSON


def error_of(error: BaseException) -> tuple[int, Headers, bytes]:
    """What ``problem`` says of any error, in the protocol's form."""
    return in_protocol(*problem(error))


def plain_error(status: int, code: str, title: str, detail: str) -> tuple[int, Headers, bytes]:
    """An error of the protocol itself."""
    return in_protocol(*plain_problem(status, code, title, detail))


def in_protocol(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    """A problem as an error of the protocol: its detail is the error, and the list of problems is told in it."""
    content = json.loads(body)
    detail, problems = content.pop("detail"), content.get("problems", [])
    told = {"error": "; ".join([detail, *problems]), **content}
    return status, [JSON, *(pair for pair in headers if pair[0] != b"content-type")], told_json(told)
