"""``POST /v2/models/{model}[/versions/{version}]/infer``: the paid route in the protocol's words."""

from __future__ import annotations

import asyncio
import math
from functools import partial

from starlette.types import Receive, Scope

from modelmint.api.body import header, read_body
from modelmint.api.paid import PaidRoute, idempotency_key, still_wanted
from modelmint.api.problems import Headers
from modelmint.api.respond import JSON
from modelmint.api.service import Service
from modelmint.api.v2.compression import SMALLEST, accepted, deflated, inflated
from modelmint.api.v2.inputs import payloads_or_tensor
from modelmint.api.v2.models import check_version
from modelmint.api.v2.outputs import chosen, composed, unframed
from modelmint.api.v2.problems import error_of
from modelmint.api.v2.requests import HEADER_LENGTH, parse
from modelmint.api.v2.signature import signature_of
from modelmint.kit.digest import digest_bytes
from modelmint.operations.predict import PredictReply, PredictRequest

_PREFIX, _SUFFIX, _VERSIONS = "/v2/models/", "/infer", "/versions/"
_BINARY = (b"content-type", b"application/octet-stream")


class InferRoute(PaidRoute):
    """The endpoint; every error leaves in the protocol's form."""

    def __init__(self, service: Service) -> None:
        super().__init__(service, error_of)

    @staticmethod
    def takes(path: str) -> bool:
        """Whether a request of this path is one to infer."""
        return path.startswith(_PREFIX) and path.endswith(_SUFFIX) and all(_named(path))

    def model(self, scope: Scope) -> str:
        return _named(scope["path"])[0]

    async def read(self, scope: Scope, receive: Receive, digest: str, arrived: float) -> PredictRequest:
        model, *version = _named(scope["path"])
        limit, most = self.service.shop.max_body, self.service.limits.max_items
        body = await read_body(scope, receive, limit)
        encoding = header(scope, b"content-encoding")
        if encoding is not None:  # unpacking lets go of the interpreter, so that the others are served meanwhile
            body = await asyncio.to_thread(inflated, body, encoding, limit)
        lane = self.service.host.lane(model)
        check_version(model, lane, version[0] if version else None)
        signature, length = signature_of(model, lane), header(scope, HEADER_LENGTH)
        asked = parse(body, length, most * math.prod(signature.item))
        outputs = chosen(asked, signature)
        given = payloads_or_tensor(asked, signature, most)
        key = idempotency_key(scope)
        named = b"\0".join((b"v2", scope["path"].encode(), length or b"", body))
        return PredictRequest(
            model,
            given if isinstance(given, list) else (),
            digest,
            key,
            None if key is None else digest_bytes(named),
            still_wanted(receive),
            arrived,
            asked.explain,
            None if isinstance(given, list) else given,
            partial(composed, asked, outputs),
        )

    def respond(self, scope: Scope, reply: PredictReply) -> tuple[Headers, bytes]:
        length, body = unframed(reply.body)
        headers: Headers = [JSON]
        if length is not None:
            headers = [_BINARY, (HEADER_LENGTH, str(length).encode())]
        encoding = accepted(header(scope, b"accept-encoding")) if len(body) >= SMALLEST else None
        if encoding is not None:
            body = deflated(body, encoding)
            headers.append((b"content-encoding", encoding.encode()))
        return [*headers, (b"vary", b"accept-encoding")], body


def _named(path: str) -> list[str]:
    """The model in the path, and the version where one is named."""
    return path[len(_PREFIX) : -len(_SUFFIX)].split(_VERSIONS, 1)
