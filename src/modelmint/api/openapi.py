"""``/openapi.json``: OpenAPI 3.1 of every route, with every error that each can answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.routing import Route

import modelmint
from modelmint.api.openapi_schemas import SCHEMAS, ref, text
from modelmint.api.routing import Asked, route
from modelmint.api.service import Service

Node = dict[str, Any]

_MEANING = {
    400: "The request cannot be read (body cut off, not JSON, not multipart, bad header)",
    401: "No key, a wrong key or a revoked one; for founder's routes a wrong token",
    402: "The plan does not cover the call; `plans` names the plans to buy. Not billed",
    404: "There is no such thing, or it is not yours",
    405: "The route does not take this method",
    408: "The request body did not arrive in time",
    409: "It contradicts the present state (the first call with this Idempotency-Key still runs)",
    413: "The body is too large, or holds too many inputs. Not billed",
    415: "The body's media type is not read here",
    422: "An input cannot be used (not a picture, truncated, too many pixels, bad field). Not billed",
    429: "More calls than the plan's rate allows; come back after Retry-After. Not billed",
    431: "The request line and headers together are too large",
    500: "The server failed and logged it under `instance`. Not billed",
    503: "Too much to do, or not ready; come back after Retry-After. Not billed",
}
_CUSTOMER: list[Node] = [{"key": []}]
_FOUNDER: list[Node] = [{"founder": []}]
_COMMON = (405, 431, 500, 503)


def _errors(*statuses: int) -> Node:
    return {str(status): {"$ref": f"#/components/responses/E{status}"} for status in sorted({*statuses, *_COMMON})}


def _json(schema: str) -> Node:
    return {"application/json": {"schema": ref(schema)}}


def _operation(
    summary: str,
    answer: str,
    *,
    tag: str,
    security: list[Node] | None = None,
    errors: Sequence[int] = (),
    body: str | None = None,
    status: int = 200,
    parameters: Sequence[Node] = (),
) -> Node:
    name = "".join(word.capitalize() for word in summary.lower().replace("'", "").replace(",", "").split())
    known = {*errors, *((401,) if security else ()), *((400, 408, 413, 422) if body else ())}
    node: Node = {
        "operationId": name[0].lower() + name[1:],
        "summary": summary,
        "tags": [tag],
        "security": security or [],
        "responses": {str(status): {"description": summary, "content": _json(answer)}, **_errors(*known)},
    }
    if parameters:
        node["parameters"] = list(parameters)
    if body:
        node["requestBody"] = {"content": _json(body)}
    return node


def _in_path(name: str, description: str) -> Node:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": text()}


def _in_query(name: str, description: str, **schema: Any) -> Node:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": text(**schema)}


_MONTH = _in_query("period", "A month; the present one where it is left out.", pattern=r"^\d{4}-\d{2}$")


def _predict() -> Node:
    headers = {
        "RateLimit-Policy": "The plan's rate, draft-ietf-httpapi-ratelimit-headers",
        "RateLimit": "What is left of it",
        "RateLimit-Limit": "Calls a minute",
        "RateLimit-Remaining": "Calls left at once",
        "RateLimit-Reset": "Seconds until all of the rate is back",
        "Idempotent-Replay": "`true` where the stored answer of an earlier call is returned, free of charge",
    }
    node = _operation(
        "Predict",
        "Answer",
        tag="predict",
        security=_CUSTOMER,
        errors=(400, 402, 404, 408, 409, 413, 415, 422, 429),
        parameters=[
            _in_path("model", "A public model name."),
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key with the same body returns the first answer and costs nothing.",
                "schema": text(maxLength=255),
            },
        ],
    )
    node["description"] = (
        "One or many inputs in one paid call: raw bytes, multipart files, or base64 in JSON. The answer leaves after "
        "its outcome row is durable. A call whose caller hung up before the answer was ready is not billed."
    )
    node["responses"]["200"]["headers"] = {
        name: {"description": description, "schema": text()} for name, description in headers.items()
    }
    binary: Node = {"schema": {}}
    node["requestBody"] = {
        "required": True,
        "content": {
            "image/*": binary,
            "application/octet-stream": binary,
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "array", "items": {}}}}
            },
            **_json("JsonInputs"),
        },
    }
    return node


def _customer_paths() -> Node:
    own: Node = {"tag": "customer", "security": _CUSTOMER}
    shown = [
        _in_path("id", "An invoice's id or number."),
        _in_query("format", "`text` for a readable page.", enum=["json", "text"]),
        _in_query("lang", "Of the readable page.", enum=["en", "zh"]),
    ]
    invoice = _operation("Show an invoice", "Invoice", errors=(404, 422), parameters=shown, **own)
    invoice["responses"]["200"]["content"]["text/plain"] = {"schema": text()}
    return {
        "/v1/models": {"get": _operation("List models", "Models", tag="public")},
        "/v1/plans": {"get": _operation("List plans", "Plans", tag="public")},
        "/v1/usage": {"get": _operation("Show usage", "Usage", errors=(422,), parameters=[_MONTH], **own)},
        "/v1/invoices": {"get": _operation("List invoices", "Invoices", **own)},
        "/v1/invoices/{id}": {"get": invoice},
        "/v1/keys": {
            "get": _operation("List keys", "Keys", **own),
            "post": _operation("Make a key", "NewKey", body="Name", status=201, **own),
        },
        "/v1/keys/{id}": {
            "delete": _operation(
                "Revoke a key", "Key", errors=(404,), parameters=[_in_path("id", "A key's id.")], **own
            )
        },
    }


def _founder_paths() -> Node:
    base = "/admin/v1/customers/{customer}"
    who = [_in_path("customer", "A customer's id or exact name.")]
    ours: Node = {"tag": "founder", "security": _FOUNDER}
    lost: Node = {**ours, "errors": (404,), "parameters": who}
    named: Node = {**ours, "parameters": [_in_path("name", "A public model name.")]}
    keyed: Node = {**ours, "parameters": [_in_path("id", "A key's id.")]}
    return {
        "/admin/v1/customers": {
            "get": _operation("List customers", "Customers", **ours),
            "post": _operation("Make a customer", "Open", body="NewCustomer", status=201, errors=(404, 409), **ours),
        },
        base: {"get": _operation("Show a customer", "Open", **lost)},
        f"{base}/keys": {"post": _operation("Make a customer's key", "NewKey", body="Name", status=201, **lost)},
        f"{base}/subscription": {"post": _operation("Subscribe a customer", "Open", body="WantedPlan", **lost)},
        f"{base}/usage": {
            "get": _operation("Show a customer's usage", "Usage", errors=(404, 422), parameters=[*who, _MONTH], **ours)
        },
        f"{base}/invoices": {
            "get": _operation("List a customer's invoices", "Invoices", **lost),
            "post": _operation(
                "Close a period", "Invoices", body="WantedPeriod", status=201, errors=(404, 409), parameters=who, **ours
            ),
        },
        "/admin/v1/keys": {"get": _operation("List all keys", "Keys", **ours)},
        "/admin/v1/keys/{id}": {"delete": _operation("Revoke any key", "Key", errors=(404,), **keyed)},
        "/admin/v1/releases": {"get": _operation("List releases", "Open", **ours)},
        "/admin/v1/deployments": {
            "get": _operation("List deployments", "Deployments", **ours),
            "post": _operation("Deploy", "Deployments", body="WantedDeployment", status=201, errors=(404,), **ours),
        },
        "/admin/v1/deployments/{name}/rollback": {
            "post": _operation("Roll back", "Deployment", status=201, errors=(404, 409), **named)
        },
    }


def _health_paths() -> Node:
    metrics = _operation("Metrics", "Open", tag="operation", errors=(401,))
    metrics["responses"]["200"]["content"] = {"text/plain": {"schema": text()}}
    return {
        "/healthz/live": {"get": _operation("Live", "Open", tag="operation")},
        "/healthz/ready": {"get": _operation("Ready", "Open", tag="operation")},
        "/metrics": {"get": metrics},
        "/openapi.json": {"get": _operation("This document", "Open", tag="operation")},
    }


def document(title: str, description: str) -> Node:
    """The whole document."""
    responses = {}
    for status, meaning in _MEANING.items():
        node: Node = {"description": meaning, "content": {"application/problem+json": {"schema": ref("Problem")}}}
        if status in (429, 503):
            node["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}
        if status == 401:
            node["headers"] = {"WWW-Authenticate": {"schema": text()}}
        responses[f"E{status}"] = node
    schemes = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, mm_..."},
        "founder": {"type": "http", "scheme": "bearer", "description": "The token in .modelmint/keys/admin.token"},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": modelmint.__version__, "description": description},
        "paths": {
            "/v1/models/{model}/predict": {"post": _predict()},
            **_customer_paths(),
            **_founder_paths(),
            **_health_paths(),
        },
        "components": {"schemas": SCHEMAS, "responses": responses, "securitySchemes": schemes},
    }


def openapi_route(service: Service) -> Route:
    """``/openapi.json``."""
    venture = service.shop.venture
    found = document(
        service.shop.name,
        " ".join(filter(None, [venture.file.venture.purpose, service.shop.notice])) if venture else "",
    )

    def show(_: Asked) -> Any:
        """The document."""
        return found

    return route(service, "/openapi.json", "anyone", GET=show)
