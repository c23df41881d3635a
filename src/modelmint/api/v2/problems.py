"""Errors in the protocol's form: ``{"error": "..."}``, with our code and details beside it."""

from __future__ import annotations

import json
from typing import Any

from modelmint.api.problems import Headers, problem, told_json
from modelmint.api.respond import JSON


def error_of(error: BaseException) -> tuple[int, Headers, bytes]:
    """What ``problem`` says of any error: its detail, and with it the list of problems."""
    status, headers, body = problem(error)
    content = json.loads(body)
    return _error(status, headers, content, [content.pop("detail"), *content.get("problems", [])])


def in_protocol(status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
    """A problem of HTTP itself (no such route, wrong method, not ready) as an error of the protocol."""
    content = json.loads(body)
    return _error(status, headers, content, [content["title"], content.pop("detail")])


def _error(status: int, headers: Headers, content: dict[str, Any], said: list[str]) -> tuple[int, Headers, bytes]:
    kept = [pair for pair in headers if pair[0] != b"content-type"]
    return status, [JSON, *kept], told_json({"error": "; ".join(said), **content})
