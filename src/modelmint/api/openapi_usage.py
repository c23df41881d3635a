"""OpenAPI of usage events and usage tables."""

from __future__ import annotations

from typing import Any

from modelmint.api.openapi_parts import CUSTOMER, FOUNDER, MONTH, Node, as_table, in_path, in_query, operation
from modelmint.api.openapi_schemas import ref, text

_OWN: Node = {"tag": "customer", "security": CUSTOMER}
_OURS: Node = {"tag": "founder", "security": FOUNDER}
_PARTNERS: Node = {"tag": "partner", "security": CUSTOMER}
_WHO = in_path("customer", "A customer's id or exact name.")
_TABLE = [
    MONTH,
    in_query("by", "Some of day, model, variant, key, state, with commas: adds `rows`."),
    in_query("format", "`csv` for the rows alone.", enum=["json", "csv"]),
]
_PAGE = [
    MONTH,
    in_query("after", "The `next` of the former page."),
    in_query("limit", "How many at most, 1 to 10000.", pattern=r"^\d+$"),
]


def _usage(summary: str, parameters: list[Any], **more: Any) -> Node:
    return as_table(operation(summary, "Usage", parameters=[*parameters, *_TABLE], **more))


def _report() -> Node:
    node = operation("Report usage events", "Recorded", errors=(400, 402, 403, 408, 409, 413, 415, 422), **_OWN)
    node["description"] = (
        "CloudEvents 1.0 in structured, batch or binary mode, or a plain list. The whole batch is durable before the "
        "answer, or nothing of it is stored and every problem is told. An event that comes again with the same "
        "content is counted once."
    )
    one, many = {"schema": ref("CloudEvent")}, {"type": "array", "items": ref("CloudEvent")}
    node["requestBody"] = {
        "required": True,
        "content": {
            "application/cloudevents+json": one,
            "application/cloudevents-batch+json": {"schema": many},
            "application/json": {"schema": {"type": "object", "properties": {"events": many}}},
        },
    }
    return node


PATHS: Node = {
    "/v1/usage": {"get": _usage("Show usage", [], errors=(403, 422), **_OWN)},
    "/admin/v1/customers/{customer}/usage": {
        "get": _usage("Show a customer's usage", [_WHO], errors=(404, 422), **_OURS)
    },
    "/partner/v1/customers/{customer}/usage": {
        "get": _usage("Show an end customer's usage", [_WHO], errors=(403, 404, 422), **_PARTNERS)
    },
    "/v1/events": {
        "post": _report(),
        "get": operation("List calls and events", "EventPage", errors=(403, 422), parameters=_PAGE, **_OWN),
    },
    "/admin/v1/customers/{customer}/events": {
        "get": operation(
            "List a customer's calls and events", "EventPage", errors=(404, 422), parameters=[_WHO, *_PAGE], **_OURS
        )
    },
}
_COUNT: Node = {"type": "integer", "minimum": 0}
SCHEMAS: dict[str, Node] = {
    "CloudEvent": {
        "type": "object",
        "description": "CloudEvents 1.0. `time` is needed; further attributes are allowed and not kept.",
        "properties": {
            "specversion": {"const": "1.0"},
            "id": text(minLength=1, maxLength=256),
            "source": text(minLength=1, maxLength=256),
            "type": text(minLength=1, maxLength=256),
            "time": text("RFC 3339", format="date-time"),
            "subject": text(maxLength=256),
            "data": {
                "type": "object",
                "description": "Further members are kept, up to 4096 bytes.",
                "properties": {
                    "meter": text(pattern="^[a-z][a-z0-9_.]{0,63}$"),
                    "quantity": {
                        "type": ["number", "string"],
                        "description": "At most six decimals, read from the digits sent; 1 where it is left out.",
                    },
                    "value": text("What a `unique` charge counts the different ones of.", maxLength=256),
                    "amount": text("What a percentage is taken of, like `12.30 USD`."),
                    "model": text(pattern="^[a-z0-9_.-]{0,64}$"),
                    "variant": text(pattern="^[a-z0-9_.-]{0,64}$"),
                    "state": text("`ok` where it is left out.", pattern="^[a-z][a-z0-9_]{0,31}$"),
                },
                "required": ["meter"],
            },
        },
        "required": ["data", "id", "source", "specversion", "time", "type"],
    },
    "Recorded": {
        "type": "object",
        "description": "What became of a batch. `late`: of the accepted, those whose billing period was closed.",
        "properties": {"accepted": _COUNT, "duplicates": _COUNT, "late": _COUNT},
        "required": ["accepted", "duplicates", "late"],
    },
    "EventPage": {
        "type": "object",
        "description": "Calls (type `dev.modelmint.call`), then usage events, in the order of booking.",
        "properties": {
            "events": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
            "next": {"type": ["string", "null"], "description": "Ask for it with `after`; null on the last page."},
        },
        "required": ["events", "next"],
    },
}
