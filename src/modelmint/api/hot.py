"""``POST /v1/models/{model}/predict``: the paid route, straight on ASGI."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.types import Receive, Scope

from modelmint.api.body import header, read_body
from modelmint.api.errors import BadQuery
from modelmint.api.paid import PaidRoute, idempotency_key, still_wanted
from modelmint.api.payloads import flag_from, payloads_from
from modelmint.api.problems import Headers, problem
from modelmint.api.respond import JSON
from modelmint.api.service import Service
from modelmint.kit.digest import digest_bytes
from modelmint.operations.predict import PredictReply, PredictRequest
from modelmint.tasks.types import Wishes

PREFIX, SUFFIX = "/v1/models/", "/predict"
_MOST_FIELDS = 20


class PredictRoute(PaidRoute):
    """The endpoint; every error leaves as problem+json."""

    def __init__(self, service: Service) -> None:
        super().__init__(service, problem)

    def model(self, scope: Scope) -> str:
        path: str = scope["path"]
        return path[len(PREFIX) : -len(SUFFIX)]

    async def read(self, scope: Scope, receive: Receive, digest: str, arrived: float) -> PredictRequest:
        body = await read_body(scope, receive, self.service.shop.max_body)
        media_type, model = header(scope, b"content-type"), self.model(scope)
        wishes = Wishes()
        payloads = payloads_from(media_type, body, self.service.limits.max_items, wishes)
        query: bytes = scope["query_string"]
        if query:
            wishes.explain |= _explain_in(query)
        key = idempotency_key(scope)
        body_digest = None
        if key is not None:
            body_digest = _digest_of(model, media_type, body, explain=wishes.explain)
        return PredictRequest(model, payloads, digest, key, body_digest, still_wanted(receive), arrived, wishes.explain)

    def respond(self, scope: Scope, reply: PredictReply) -> tuple[Headers, bytes]:
        return [JSON], reply.body


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
