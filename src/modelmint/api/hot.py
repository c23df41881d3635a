"""``POST /v1/models/{model}/predict``: the paid route, straight on ASGI."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from modelmint.api.board import Slot
from modelmint.api.body import header, read_body
from modelmint.api.bridge import result_of
from modelmint.api.errors import BadHeader, BadQuery, Unforeseen
from modelmint.api.identity import key_digest
from modelmint.api.limits import limit_headers
from modelmint.api.payloads import flag_from, payloads_from
from modelmint.api.problems import Headers, problem
from modelmint.api.respond import JSON, send_bytes
from modelmint.commerce.types import AdmissionRequest
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import ModelmintError
from modelmint.operations.predict import Predict, PredictReply, PredictRequest
from modelmint.tasks.types import Wishes

PREFIX, SUFFIX = "/v1/models/", "/predict"
_LONGEST_IDEMPOTENCY_KEY = 255
_MOST_FIELDS = 20


class PredictRoute:
    """The endpoint, bound to one process's operation and its figures."""

    def __init__(self, predict: Predict, max_body: int, max_items: int, slot: Slot) -> None:
        self._predict, self._max_body, self._max_items, self._slot = predict, max_body, max_items, slot

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; every error leaves as problem+json."""
        started = time.perf_counter()
        self._slot.begin()
        status = 500
        try:
            status, headers, body = await self._answer(scope, receive, started)
        except Exception as error:
            status, headers, body = problem(error)
        finally:
            self._slot.end(status, time.perf_counter() - started)
        await send_bytes(send, status, headers, body)

    async def _answer(self, scope: Scope, receive: Receive, arrived: float) -> tuple[int, Headers, bytes]:
        model = scope["path"][len(PREFIX) : -len(SUFFIX)]
        digest = key_digest(scope)
        try:
            request = await self._read(scope, receive, model, digest, arrived)
        except Exception as error:
            known = error if isinstance(error, ModelmintError) else Unforeseen("the call failed before it was read")
            asked = AdmissionRequest(key_digest=digest, model=model, calls=1, items=1)
            await result_of(self._predict.refuse(asked, known))
            raise
        reply = await result_of(self._predict(request))
        return 200, _headers(reply), reply.body

    async def _read(self, scope: Scope, receive: Receive, model: str, digest: str, arrived: float) -> PredictRequest:
        body = await read_body(scope, receive, self._max_body)
        media_type = header(scope, b"content-type")
        wishes = Wishes()
        payloads = payloads_from(media_type, body, self._max_items, wishes)
        query: bytes = scope["query_string"]
        if query:
            wishes.explain |= _explain_in(query)
        idempotency_key = _idempotency_key(scope)
        body_digest = None
        if idempotency_key is not None:
            body_digest = _digest_of(model, media_type, body, explain=wishes.explain)
        return PredictRequest(
            model, payloads, digest, idempotency_key, body_digest, _wanted(receive), arrived, wishes.explain
        )


def _explain_in(query: bytes) -> bool:
    """Whether the query says ``explain=true``; names that the service does not know are passed over."""
    try:
        fields = parse_qs(query.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BadQuery(f"expected a query of at most {_MOST_FIELDS} fields, found more") from error
    return any(flag_from("explain", value.encode()) for value in fields.get("explain", ()))


def _digest_of(model: str, media_type: bytes | None, body: bytes, *, explain: bool) -> str:
    """Names what was asked: the same key with another wish is another call."""
    wish = (b"explain",) if explain else ()
    return digest_bytes(b"\0".join((model.encode(), media_type or b"", body, *wish)))


def _idempotency_key(scope: Scope) -> str | None:
    given = header(scope, b"idempotency-key")
    if given is None:
        return None
    if not 0 < len(given) <= _LONGEST_IDEMPOTENCY_KEY or not given.isascii():
        raise BadHeader(f"expected an Idempotency-Key of 1 to {_LONGEST_IDEMPOTENCY_KEY} ASCII characters")
    return given.decode("ascii")


def _wanted(receive: Receive) -> Callable[[], bool] | None:
    """Whether the caller still listens, asked of the server's own request cycle; None under another server."""
    cycle: Any = getattr(receive, "__self__", None)
    if not hasattr(cycle, "disconnected"):
        return None
    return lambda: not cycle.disconnected


def _headers(reply: PredictReply) -> Headers:
    headers = [JSON, *limit_headers(reply.admitted)]
    if reply.replayed:
        headers.append((b"idempotent-replay", b"true"))
    return headers
