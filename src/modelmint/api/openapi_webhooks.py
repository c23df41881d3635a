"""OpenAPI of outgoing webhooks."""

from __future__ import annotations

from modelmint.api.openapi_parts import CUSTOMER, FOUNDER, Node, in_path, in_query, operation

_ENDPOINT = [in_path("id", "A webhook's id.")]
_MESSAGE = [in_path("id", "A message's id, as deliveries and the header `webhook-id` name it.")]
_WHICH = [
    in_query("message", "Of this message only."),
    in_query("state", "In this state only.", enum=["waiting", "delivered", "given_up"]),
    in_query("limit", "How many at most, 1 to 1000.", pattern=r"^\d+$"),
]


def _paths(base: str, whose: str, tag: str, security: list[Node], *, refused: tuple[int, ...]) -> Node:
    own: Node = {"tag": tag, "security": security}
    lost: Node = {**own, "errors": (*refused, 404), "parameters": _ENDPOINT}
    return {
        f"{base}/webhooks": {
            "get": operation(f"List {whose} webhooks", "Open", errors=refused, **own),
            "post": operation(
                f"Add to {whose} webhooks", "Open", body="WantedWebhook", status=201, errors=(403, 429), **own
            ),
        },
        f"{base}/webhooks/deliveries": {
            "get": operation(f"List {whose} deliveries", "Open", errors=(*refused, 422), parameters=_WHICH, **own)
        },
        f"{base}/webhooks/{{id}}": {"delete": operation(f"Remove from {whose} webhooks", "Open", **lost)},
        f"{base}/webhooks/{{id}}/secret": {
            "post": operation(f"Rotate a secret of {whose} webhooks", "Open", status=201, **lost)
        },
        f"{base}/webhooks/{{id}}/test": {
            "post": operation(f"Test one of {whose} webhooks", "Open", status=202, **lost)
        },
        f"{base}/messages/{{id}}/replay": {
            "post": operation(
                f"Send one of {whose} messages again",
                "Open",
                status=202,
                **{**lost, "parameters": _MESSAGE, "errors": (*lost["errors"], 410)},
            )
        },
    }


PATHS: Node = {
    **_paths("/admin/v1", "all", "founder", FOUNDER, refused=()),
    **_paths("/v1", "own", "customer", CUSTOMER, refused=(403,)),
    "/admin/v1/messages/replay": {
        "post": operation(
            "Send messages again", "Open", body="WantedReplay", status=202, tag="founder", security=FOUNDER
        )
    },
}
