"""Sending one response over ASGI, with the headers that every response carries."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import Send

from modelmint.api.problems import Headers
from modelmint.kit.canonical import plain

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
#: The API sends data, never pages: nothing may run, frame, sniff or cache it.
SECURITY: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
]


async def send_bytes(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """One complete response."""
    full = [*headers, (b"content-length", str(len(body)).encode()), *SECURITY]
    await send({"type": "http.response.start", "status": status, "headers": full})
    await send({"type": "http.response.body", "body": body})


def to_json(content: Any) -> bytes:
    """``content`` (dataclasses, Decimals, times) as compact JSON."""
    return json.dumps(plain(content), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
