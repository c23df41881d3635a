"""What every form of a paid call shares: it is counted, refused with an outcome row or run, and told its limits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from starlette.types import Receive, Scope, Send

from modelmint.api.body import header
from modelmint.api.bridge import result_of
from modelmint.api.errors import BadHeader, Unforeseen
from modelmint.api.identity import key_digest
from modelmint.api.limits import limit_headers
from modelmint.api.problems import Headers, Told
from modelmint.api.respond import send_bytes
from modelmint.api.service import Service
from modelmint.commerce.types import AdmissionRequest
from modelmint.kit.errors import ModelmintError
from modelmint.operations.predict import UNKNOWN_MODEL, PredictReply, PredictRequest

_LONGEST_IDEMPOTENCY_KEY = 255


class PaidRoute:
    """An endpoint straight on ASGI. A form of it says how a call is read and how a reply is told."""

    def __init__(self, service: Service, told: Told) -> None:
        """``told`` gives errors their form."""
        self.service, self._told = service, told

    def model(self, scope: Scope) -> str:
        """The public name in the path."""
        raise NotImplementedError

    async def read(self, scope: Scope, receive: Receive, digest: str, arrived: float) -> PredictRequest:
        """The call, understood; raises what is wrong with it."""
        raise NotImplementedError

    def respond(self, scope: Scope, reply: PredictReply) -> tuple[Headers, bytes]:
        """Headers and body of a 200."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; every error leaves in the form of the route."""
        started = time.perf_counter()
        slot = self.service.slot
        slot.begin()
        status = 500
        try:
            status, headers, body = await self._answer(scope, receive, started)
        except Exception as error:
            status, headers, body = self._told(error)
        finally:
            slot.end(status, time.perf_counter() - started)
        await send_bytes(send, status, headers, body)

    async def _answer(self, scope: Scope, receive: Receive, arrived: float) -> tuple[int, Headers, bytes]:
        digest = key_digest(scope)
        predict = self.service.predict
        try:
            request = await self.read(scope, receive, digest, arrived)
        except Exception as error:
            known = error if isinstance(error, ModelmintError) else Unforeseen("the call failed before it was read")
            model = self.model(scope)
            # Under one name, or strangers' inventions would fill the books' counts.
            named = model if model in self.service.host.serving() else UNKNOWN_MODEL
            await result_of(predict.refuse(AdmissionRequest(digest, named, calls=1, items=1), known))
            raise
        reply = await result_of(predict(request))
        headers, body = self.respond(scope, reply)
        headers += limit_headers(reply.admitted)
        if reply.replayed:
            headers.append((b"idempotent-replay", b"true"))
        return 200, headers, body


def idempotency_key(scope: Scope) -> str | None:
    """The header, None where there is none; raises ``BadHeader``."""
    given = header(scope, b"idempotency-key")
    if given is None:
        return None
    if not 0 < len(given) <= _LONGEST_IDEMPOTENCY_KEY or not given.isascii():
        raise BadHeader(f"expected an Idempotency-Key of 1 to {_LONGEST_IDEMPOTENCY_KEY} ASCII characters")
    return given.decode("ascii")


def still_wanted(receive: Receive) -> Callable[[], bool] | None:
    """Whether the caller still listens, asked of the server's own request cycle; None under another server."""
    cycle: Any = getattr(receive, "__self__", None)
    if not hasattr(cycle, "disconnected"):
        return None
    return lambda: not cycle.disconnected
