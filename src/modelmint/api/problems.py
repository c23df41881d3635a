"""Errors as RFC 9457 problem details: the HTTP edge of the error tree."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from typing import Any

from modelmint.kit.errors import (
    Conflict,
    Corrupted,
    InvalidInput,
    LimitExceeded,
    ModelmintError,
    NotAllowed,
    NotFound,
    PreconditionFailed,
    Unavailable,
    category_of,
)
from modelmint.kit.ids import new_id

_log = logging.getLogger("modelmint.api")

#: The default status of each category; a leaf may state a more exact one.
STATUS: dict[type[ModelmintError], int] = {
    InvalidInput: 422,
    NotFound: 404,
    Conflict: 409,
    PreconditionFailed: 412,
    NotAllowed: 403,
    LimitExceeded: 429,
    Unavailable: 503,
    Corrupted: 500,
}

TYPE_PREFIX = "urn:modelmint:problem:"
MEDIA_TYPE = b"application/problem+json"
#: Where a 429 or 503 does not say when to come back, seconds.
DEFAULT_RETRY_AFTER = 1.0
Headers = list[tuple[bytes, bytes]]
#: Status, headers and body of any error.
Told = Callable[[BaseException], tuple[int, Headers, bytes]]
#: Details that only repeat the message.
_INTERNAL = frozenset({"reason"})


def status_of(error: ModelmintError) -> int:
    """The HTTP status of an error: its own, else its category's, else 500."""
    return error.status or STATUS.get(category_of(error), 500)


def title_of(kind: type[ModelmintError]) -> str:
    """The first sentence of the leaf's docstring, which is the same for every occurrence."""
    first = (kind.__doc__ or kind.__name__).strip().split("\n\n")[0]
    return " ".join(first.split()).rstrip(".")


def problem(error: BaseException) -> tuple[int, Headers, bytes]:
    """Status, headers and body for any error; what we did not foresee is logged and told nothing about."""
    if not isinstance(error, ModelmintError):
        incident = new_id("inc")
        _log.error("incident %s", incident, exc_info=error)
        return _problem(
            500,
            "internal_error",
            "The server failed",
            "Something failed inside the server and was logged; nothing was billed. Name the instance when asking.",
            {"instance": f"urn:modelmint:incident:{incident}"},
        )
    status = status_of(error)
    extra: dict[str, Any] = {key: value for key, value in error.details.items() if key not in _INTERNAL}
    if error.problems:
        extra["problems"] = list(error.problems)
    if status >= 500:
        incident = new_id("inc")
        extra["instance"] = f"urn:modelmint:incident:{incident}"
        _log.error("incident %s: %s: %s", incident, error.code, error)
    status, headers, body = _problem(status, error.code, title_of(type(error)), error.message, extra)
    retry_after = error.retry_after
    if retry_after is None and status == 503:
        retry_after = DEFAULT_RETRY_AFTER
    if retry_after is not None:
        headers.append((b"retry-after", str(max(1, math.ceil(retry_after))).encode()))
    if status == 401:
        headers.append((b"www-authenticate", b'Bearer realm="modelmint", error="invalid_token"'))
    return status, headers, body


def plain_problem(status: int, code: str, title: str, detail: str, **extra: Any) -> tuple[int, Headers, bytes]:
    """A problem of the protocol itself (no such route, wrong method), which no package raises."""
    return _problem(status, code, title, detail, extra)


def _problem(status: int, code: str, title: str, detail: str, extra: dict[str, Any]) -> tuple[int, Headers, bytes]:
    # The registered members come last, so that no detail can overwrite them.
    content = {**extra, "type": TYPE_PREFIX + code, "title": title, "status": status, "code": code, "detail": detail}
    return status, [(b"content-type", MEDIA_TYPE)], told_json(content)


def told_json(content: dict[str, Any]) -> bytes:
    """What is said of an error as JSON, whatever it repeats of what was sent."""
    text = json.dumps(content, ensure_ascii=False, default=str, separators=(",", ":"))
    return text.encode(errors="backslashreplace")  # a lone surrogate becomes its JSON escape
