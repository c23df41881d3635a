"""``/openapi.json``: OpenAPI 3.1 of every route, with every error that each can answer."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from modelmint.api import (
    openapi_billing,
    openapi_bodies,
    openapi_feedback,
    openapi_ledger,
    openapi_partners,
    openapi_payments,
    openapi_people,
    openapi_plans,
    openapi_usage,
    openapi_v2,
    openapi_webhooks,
)
from modelmint.api.openapi_parts import (
    CUSTOMER,
    FORM,
    FOUNDER,
    MEANING,
    PAGE,
    TINY_PICTURE,
    Node,
    in_path,
    in_query,
    operation,
    printed,
)
from modelmint.api.openapi_schemas import SCHEMAS, ref, text
from modelmint.api.routing import Asked, route
from modelmint.api.service import Service
from modelmint.kit.version import __version__

#: Paths that are documented beside their routes; a new one is one line here.
PARTS: tuple[Node, ...] = (
    openapi_plans.PATHS,
    openapi_billing.PATHS,
    openapi_ledger.PATHS,
    openapi_payments.PATHS,
    openapi_webhooks.PATHS,
    openapi_usage.PATHS,
    openapi_people.PATHS,
    openapi_partners.PATHS,
    openapi_v2.PATHS,
    openapi_feedback.PATHS,
)
_SCHEMAS = {**SCHEMAS, **openapi_usage.SCHEMAS, **openapi_v2.SCHEMAS, **openapi_feedback.SCHEMAS}
_SCHEMAS = {
    **SCHEMAS,
    **openapi_bodies.SCHEMAS,
    **openapi_usage.SCHEMAS,
    **openapi_v2.SCHEMAS,
    **openapi_feedback.SCHEMAS,
}

_LANGUAGE = in_query("lang", "Of the terms in words.", enum=["en", "zh"])


def _predict() -> Node:
    headers = {
        "RateLimit-Policy": "The plan's rate, draft-ietf-httpapi-ratelimit-headers",
        "RateLimit": "What is left of it",
        "RateLimit-Limit": "Calls a minute",
        "RateLimit-Remaining": "Calls left at once",
        "RateLimit-Reset": "Seconds until all of the rate is back",
        "Idempotent-Replay": "`true` where the stored answer of an earlier call is returned, free of charge",
    }
    node = operation(
        "Predict",
        "Answer",
        tag="predict",
        security=CUSTOMER,
        errors=(400, 402, 404, 408, 409, 413, 415, 422, 429),
        parameters=[
            in_path("model", "A public model name."),
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key with the same body returns the first answer and costs nothing.",
                "schema": text(maxLength=255),
            },
            in_query("explain", "Which regions spoke for each answer, as numbers and as a PNG.", type="boolean"),
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
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "array", "items": {}}, "explain": {"type": "boolean"}},
                }
            },
            "application/json": {"schema": ref("JsonInputs"), "example": {"image": TINY_PICTURE}},
        },
    }
    return node


def _customer_paths() -> Node:
    own: Node = {"tag": "customer", "security": CUSTOMER}
    shown = [in_path("id", "An invoice's id or number."), *FORM]
    invoice = printed(operation("Show an invoice", "Invoice", errors=(404, 422), parameters=shown, **own))
    return {
        "/v1/models": {"get": operation("List models", "Models", tag="public")},
        "/v1/plans": {"get": operation("List plans", "Plans", tag="public", errors=(422,), parameters=[_LANGUAGE])},
        "/v1/invoices": {"get": operation("List invoices", "InvoicePage", errors=(422,), parameters=PAGE, **own)},
        "/v1/invoices/{id}": {"get": invoice},
    }


def _founder_paths() -> Node:
    base = "/admin/v1/customers/{customer}"
    who = [in_path("customer", "A customer's id or exact name.")]
    ours: Node = {"tag": "founder", "security": FOUNDER}
    lost: Node = {**ours, "errors": (404,), "parameters": who}
    named: Node = {**ours, "parameters": [in_path("name", "A public model name.")]}
    return {
        "/admin/v1/customers": {
            "get": operation("List customers", "Customers", errors=(422,), parameters=PAGE, **ours),
            "post": operation("Make a customer", "Open", body="NewCustomer", status=201, errors=(404, 409), **ours),
        },
        base: {"get": operation("Show a customer", "Open", **lost), "patch": openapi_billing.SET_DETAILS},
        "/admin/v1/releases": {"get": operation("List releases", "Open", **ours)},
        "/admin/v1/deployments": {
            "get": operation("List deployments", "Deployments", **ours),
            "post": operation("Deploy", "Deployments", body="WantedDeployment", status=201, errors=(404,), **ours),
        },
        "/admin/v1/deployments/{name}/rollback": {
            "post": operation("Roll back", "Deployment", status=201, errors=(404, 409), **named)
        },
    }


def _health_paths() -> Node:
    metrics = operation("Metrics", "Open", tag="operation", errors=(401,))
    metrics["responses"]["200"]["content"] = {"text/plain": {"schema": text()}}
    return {
        "/healthz/live": {"get": operation("Live", "Open", tag="operation")},
        "/healthz/ready": {"get": operation("Ready", "Open", tag="operation")},
        "/metrics": {"get": metrics},
        "/openapi.json": {"get": operation("This document", "Open", tag="operation")},
    }


def document(title: str, description: str) -> Node:
    """The whole document."""
    responses = {}
    for status, meaning in MEANING.items():
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
        "info": {"title": title, "version": __version__, "description": description},
        "paths": {
            "/v1/models/{model}/predict": {"post": _predict()},
            **_customer_paths(),
            **_founder_paths(),
            **_health_paths(),
            **{path: node for part in PARTS for path, node in part.items()},
        },
        "components": {
            "schemas": _SCHEMAS,
            "responses": {**responses, **openapi_v2.responses(responses)},
            "securitySchemes": schemes,
        },
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
