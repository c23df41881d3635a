"""The component schemas of ``/openapi.json``."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def text(description: str = "", **more: Any) -> Schema:
    """A string."""
    return {"type": "string", **({"description": description} if description else {}), **more}


def _object(description: str, properties: Schema, required: list[str] | None = None, **more: Any) -> Schema:
    required = sorted(properties) if required is None else required
    return {"type": "object", "description": description, "properties": properties, "required": required, **more}


def _list(name: str, item: str) -> Schema:
    return _object(f"A list of {name}.", {name: {"type": "array", "items": ref(item)}})


def _paged(name: str, item: str) -> Schema:
    more: Schema = {"type": ["string", "null"], "description": "Ask for it with `after`; null on the last page."}
    return _object(f"A page of {name}.", {name: {"type": "array", "items": ref(item)}, "next": more})


def ref(name: str) -> Schema:
    """A reference to a component schema."""
    return {"$ref": f"#/components/schemas/{name}"}


_NUMBER: Schema = {"type": "number"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_MAYBE_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
_TIME = text("ISO 8601, UTC", format="date-time")
_MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_SHARES: Schema = {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1}}
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}
_OPEN: Schema = {"type": "object", "additionalProperties": True}

_PREDICTION: Schema = {
    "label": text("The answer; still set where the model abstained."),
    "probability": {"type": "number", "minimum": 0, "maximum": 1, "description": "Of `label`, calibrated."},
    "probabilities": {**_SHARES, "description": "Every label's calibrated probability."},
    "abstained": {"type": "boolean", "description": "Too uncertain to answer; let a person look."},
}
_PERIOD = _object("Half-open, UTC.", {"start": _TIME, "end": _TIME})

SCHEMAS: dict[str, Schema] = {
    "Problem": _object(
        "RFC 9457. `code` is stable; further members belong to the code.",
        {
            "type": text("A stable name of the kind of problem.", format="uri"),
            "title": text("The same for every occurrence."),
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "code": text("Stable, for programs."),
            "detail": text("What was expected, what was found, what to do."),
            "instance": text("Names one occurrence in the server's log.", format="uri"),
            "problems": {"type": "array", "items": {"type": "string"}},
            "plans": {"type": "array", "items": {"type": "string"}, "description": "With 402: plans to buy."},
        },
        ["type", "title", "status", "code", "detail"],
        additionalProperties=True,
    ),
    "Prediction": _object(
        "One input's answer.",
        {"id": text(), **_PREDICTION, "explanation": ref("Explanation")},
        ["id", *_PREDICTION],
        additionalProperties=True,
    ),
    "Explanation": _object(
        "Which regions of the input spoke for the label; only where the call asked for it.",
        {
            "kind": text("Read off the network's own map, or by painting parts out.", enum=["cam", "occlusion"]),
            "label": text("What it explains: the prediction's label."),
            "grid": {"type": "array", "items": _COUNT, "minItems": 2, "maxItems": 2, "description": "Rows, columns."},
            "values": {
                "type": "array",
                "items": {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}},
                "description": "Heat by row from the top, 1 where most speaks for the label.",
            },
            "passes": {**_COUNT, "description": "Runs of the network for it, beyond the answer's own."},
            "ms": {**_NUMBER, "description": "CPU milliseconds for it, part of `compute_ms`."},
            "png": text("The map over the input.", contentEncoding="base64", contentMediaType="image/png"),
        },
    ),
    "Answer": _object(
        "One call's answer, inputs in the order sent. With one input its prediction stands at the top as well.",
        {
            "id": text("Name this prediction in feedback."),
            "model": text(),
            "release": text("The release that made it, sha256."),
            "variant": text(),
            "predictions": {"type": "array", "minItems": 1, "items": ref("Prediction")},
            "compute_ms": {**_NUMBER, "description": "CPU milliseconds spent on this call."},
            "use": text("The notice of use."),
            "plan": text(),
            "remaining": {**_MAYBE_COUNT, "description": "Calls left before the plan refuses; null without a limit."},
            **_PREDICTION,
        },
        ["id", "model", "release", "variant", "predictions", "compute_ms", "use", "plan", "remaining"],
        additionalProperties=True,
    ),
    "JsonInputs": {
        "description": "Pictures as base64 text or data URLs: one, several, or several as objects. `explain`: true "
        "beside them asks for explanations.",
        "oneOf": [
            _object("One.", {"image": text(contentEncoding="base64")}),
            _object("Several.", {"images": {"type": "array", "minItems": 1, "items": text(contentEncoding="base64")}}),
            _object(
                "Several, as objects.",
                {
                    "inputs": {
                        "type": "array",
                        "minItems": 1,
                        "items": _object("One.", {"b64": text(contentEncoding="base64")}),
                    }
                },
            ),
        ],
    },
    "Model": _object(
        "What is served under a public name.",
        {
            "name": text(),
            "task": text(),
            "labels": {"type": "array", "items": {"type": "string"}},
            "release": text(),
            "variant": text(),
            "use": text(),
            "max_items": _COUNT,
            "max_body_bytes": _COUNT,
        },
    ),
    "Models": _list("models", "Model"),
    "Plan": _object(
        "One version of a plan.",
        {"name": text(), "version": text(), "title": text(), "terms": text("In words.")},
        additionalProperties=True,
    ),
    "Plans": _list("plans", "Plan"),
    "Usage": _object(
        "Billable usage in a month, and what was refused or failed, by code.",
        {
            "customer": text(),
            "period": _PERIOD,
            "calls": _COUNT,
            "items": _COUNT,
            "by_model": _COUNTS,
            "by_day": _COUNTS,
            "refused": _COUNTS,
            "by_key": {**_COUNTS, "description": "Calls by key."},
            "by_meter": {"type": "object", "additionalProperties": text("A decimal number.")},
            "plan": _MAYBE_TEXT,
            "rows": {"type": "array", "items": _OPEN, "description": "With `by`."},
        },
        ["by_day", "by_model", "calls", "customer", "items", "period", "refused"],
    ),
    "Invoice": _object(
        "Finalised and immutable.",
        {
            "id": text(),
            "number": _COUNT,
            "customer": text(),
            "customer_name": text(),
            "period": _PERIOD,
            "currency": text(),
            "lines": {"type": "array", "items": _OPEN},
            "total": _object("Exact.", {"amount": text(), "minor": {"type": "integer"}, "currency": text()}),
            "plan": text(),
            "plan_version": text(),
            "notice": text(),
            "finalised_at": _TIME,
        },
        additionalProperties=True,
    ),
    "Invoices": _list("invoices", "Invoice"),
    "InvoicePage": _paged("invoices", "Invoice"),
    "Key": _object(
        "An API key without its secret.",
        {
            "id": text(),
            "customer": text(),
            "hint": text("First characters of the secret."),
            "name": text(),
            "created_at": _TIME,
            "revoked_at": _MAYBE_TIME,
            "scopes": {"type": "array", "items": text()},
            "expires_at": _MAYBE_TIME,
            "replaces": _MAYBE_TEXT,
            "last_used_at": _MAYBE_TIME,
        },
        additionalProperties=True,
    ),
    "NewKey": {
        "allOf": [ref("Key"), _object("Shown once.", {"secret": text(), "note": text()})],
    },
    "Keys": _paged("keys", "Key"),
    "WantedKey": _object(
        "All that may be left out.",
        {
            "name": text(minLength=1, maxLength=500),
            "scopes": {"type": "array", "minItems": 1, "items": text()},
            "expires_at": text("ISO 8601 with its time zone", format="date-time"),
        },
        [],
    ),
    "WantedRotation": _object(
        "All that may be left out.",
        {
            "overlap_seconds": {"type": "integer", "minimum": 0, "description": "How long the former key goes on."},
            "expires_at": text("ISO 8601 with its time zone", format="date-time"),
        },
        [],
    ),
    "Customer": _object(
        "Who pays.", {"id": text(), "name": text(), "email": text(), "created_at": _TIME}, additionalProperties=True
    ),
    "Customers": _paged("customers", "Customer"),
    "EndCustomers": _list("customers", "Customer"),
    "NewCustomer": _object(
        "With `plan`, subscribed and given a first key at once.",
        {"name": text(minLength=1, maxLength=500), "email": text(), "plan": text(), "code": text("Referral code.")},
        ["name"],
    ),
    "WantedPlan": _object(
        "A plan, and when: `now` (where it is left out), `period_end`, or a time to come.",
        {"plan": text(minLength=1), "at": text()},
        ["plan"],
    ),
    "WantedPeriod": _object(
        "A month to close.", {"period": text("2026-11"), "until_now": {"type": "boolean"}}, ["period"]
    ),
    "Deployment": _object(
        "What a public name serves since when.",
        {"name": text(), "release": text(), "model": text(), "variant": _MAYBE_TEXT, "at": _TIME},
    ),
    "Deployments": _object(
        "The newest of each name.",
        {
            "deployments": {"type": "array", "items": ref("Deployment")},
            "failures": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        ["deployments"],
    ),
    "WantedDeployment": _object(
        "A release to serve; each of its models under its own name unless one is named.",
        {"release": text(minLength=1), "name": text(), "model": text(), "variant": text()},
        ["release"],
    ),
    "Open": _OPEN,
}
