"""Paid calls over HTTP with held-out scans, and calls that must be refused; standard library only."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

#: A call that takes longer than this has failed.
TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answered call."""

    status: int
    body: dict[str, Any]
    wall_ms: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that must be refused, and how it was."""

    what: str
    wanted: int
    status: int
    code: str
    message: str


class Caller:
    """One client with one kept-alive connection, as a customer's program would be."""

    def __init__(self, url: str, model: str, secret: str) -> None:
        self._path = f"/v1/models/{model}/predict"
        self._secret = secret
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)

    def call(self, payload: bytes, kind: str = "image/png", secret: str | None = None) -> Reply:
        """Post raw bytes; the answer's JSON, whatever its status."""
        headers = {"Authorization": f"Bearer {secret or self._secret}", "Content-Type": kind}
        began = time.perf_counter()
        self._connection.request("POST", self._path, body=payload, headers=headers)
        response = self._connection.getresponse()
        content = response.read()
        wall_ms = (time.perf_counter() - began) * 1000
        try:
            body = json.loads(content)
        except ValueError:
            body = {}
        return Reply(response.status, body if isinstance(body, dict) else {}, wall_ms)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def try_refusals(caller: Caller, good: bytes) -> list[Refusal]:
    """A text file instead of a scan, and a key that nobody was given. Neither may be billed."""
    text = caller.call(b"This is a letter, not a scan.\n", kind="application/octet-stream")
    wrong = caller.call(good, secret="mm_a-key-that-nobody-was-given")  # noqa: S106 - meant to be refused
    return [_refusal("a text file", 422, text), _refusal("a wrong key", 401, wrong)]


def _refusal(what: str, wanted: int, reply: Reply) -> Refusal:
    body = reply.body
    message = str(body.get("detail") or body.get("title") or "")
    return Refusal(what, wanted, reply.status, str(body.get("code") or ""), message)


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-share * len(ordered) // 1)  # ceil
    return ordered[min(max(int(rank) - 1, 0), len(ordered) - 1)]
