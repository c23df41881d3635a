"""OpenAPI of feedback, of what customers agree to, and of what visitors leave."""

from __future__ import annotations

from typing import Any

from modelmint.api.openapi_parts import CUSTOMER, FOUNDER, Node, in_path, in_query, operation
from modelmint.api.openapi_schemas import ref, text
from modelmint.monitoring.feedback.types import LONGEST_COMMENT, THUMBS

_OWN: Node = {"tag": "customer", "security": CUSTOMER}
_OURS: Node = {"tag": "founder", "security": FOUNDER}
_PAGE = [
    in_query("before", "The `next` of the former page.", pattern=r"^\d+$"),
    in_query("limit", "How many at most, 1 to 1000; 100 where it is left out.", pattern=r"^\d+$"),
]
_WHOSE = [in_query("customer", "A customer's id or exact name; everybody's where it is left out.")]
_MAYBE: Node = {"type": ["string", "null"]}
_ESTIMATE: Node = {
    "type": "object",
    "description": "A share with Wilson's 95 % interval over `n`.",
    "properties": {"value": {"type": "number"}, "low": {"type": "number"}, "high": {"type": "number"}, "n": {}},
    "additionalProperties": True,
}


def _give() -> Node:
    node = operation("Give feedback", "Feedback", body="WantedFeedback", status=201, errors=(403, 404, 409), **_OWN)
    again = {"description": "It was given before; nothing was stored.", "content": node["responses"]["201"]["content"]}
    node["responses"]["200"] = again
    node["parameters"] = [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "The same key with the same content is stored once. Without one, what says the same as the "
            "newest feedback of the prediction is stored once.",
            "schema": text(maxLength=255),
        }
    ]
    node["description"] = (
        "A later one for the same prediction corrects it: it is a new row, and the newest counts. `truth` is checked "
        "against the labels of the release that answered."
    )
    return node


PATHS: Node = {
    "/v1/feedback": {
        "get": operation("List own feedback", "FeedbackPage", errors=(403, 422), parameters=_PAGE, **_OWN),
        "post": _give(),
    },
    "/v1/privacy": {
        "get": operation("Show what is kept", "Privacy", errors=(403,), **_OWN),
        "put": operation("Agree or withdraw", "Privacy", body="WantedPrivacy", errors=(403, 409), **_OWN),
    },
    "/admin/v1/feedback": {
        "get": operation("List feedback", "FeedbackPage", errors=(404, 422), parameters=[*_WHOSE, *_PAGE], **_OURS)
    },
    "/admin/v1/feedback/summary": {
        "get": operation("Sum feedback up", "FeedbackSummary", errors=(404,), parameters=_WHOSE, **_OURS)
    },
    "/admin/v1/leads": {
        "get": operation(
            "List leads",
            "Open",
            errors=(422,),
            parameters=[in_query("before", "The id of the former page's last."), _PAGE[1]],
            **_OURS,
        )
    },
    "/admin/v1/leads/{lead}": {
        "delete": operation(
            "Erase a lead",
            "Open",
            errors=(404,),
            parameters=[in_path("lead", "Its id, or an e-mail address.")],
            **_OURS,
        )
    },
}

_SAID: dict[str, Any] = {
    "prediction": text("The `id` of an answer, or of one of several predictions in it."),
    "truth": {**_MAYBE, "description": "The right label."},
    "thumbs": {"type": ["string", "null"], "enum": [*THUMBS, None]},
}
SCHEMAS: Node = {
    "WantedFeedback": {
        "type": "object",
        "description": "At least one of `truth` and `thumbs`.",
        "properties": {**_SAID, "comment": {"type": ["string", "null"], "maxLength": LONGEST_COMMENT}},
        "required": ["prediction"],
        "additionalProperties": False,
    },
    "Feedback": {
        "type": "object",
        "description": "One row. `newest` is false where a later one corrects it.",
        "properties": {
            "id": text(),
            **_SAID,
            "customer": text(),
            "model": text(),
            "release": text(),
            "variant": text(),
            "answer": {**_MAYBE, "description": "The label that was answered; null where that is not known."},
            "probability": {"type": ["number", "null"]},
            "abstained": {"type": ["boolean", "null"]},
            "comment": text(),
            "at": text(format="date-time"),
            "newest": {"type": "boolean"},
        },
        "required": ["id", "prediction", "model", "at", "newest"],
        "additionalProperties": True,
    },
    "FeedbackPage": {
        "type": "object",
        "description": "The newest first.",
        "properties": {
            "feedback": {"type": "array", "items": ref("Feedback")},
            "next": {"type": ["integer", "null"], "description": "Ask for it with `before`; null on the last page."},
        },
        "required": ["feedback", "next"],
    },
    "FeedbackSummary": {
        "type": "object",
        "description": "Of each prediction what was said last. Agreement is the share of truths that equal the answer.",
        "properties": {"agreement": _ESTIMATE, "thumbs_up": _ESTIMATE},
        "required": ["agreement", "thumbs_up"],
        "additionalProperties": True,
    },
    "Privacy": {
        "type": "object",
        "description": "What is kept of what the caller sends: inputs, where the venture and the caller agreed to it.",
        "properties": {
            "inputs": {"type": "boolean", "description": "Whether the caller agreed."},
            "stored": {"type": "boolean", "description": "Whether inputs are kept now: both agreed."},
            "venture_stores_inputs": {"type": "boolean"},
            "keep_days": {"type": "integer"},
            "share": {"type": "number", "description": "Share of calls whose inputs are kept."},
            "kept": {"type": "integer", "description": "Inputs of the caller that are stored."},
            "deleted": {"type": "integer", "description": "Inputs deleted, where consent was withdrawn."},
        },
        "required": ["inputs", "stored", "venture_stores_inputs", "keep_days", "share", "kept"],
    },
    "WantedPrivacy": {
        "type": "object",
        "properties": {"inputs": {"type": "boolean"}},
        "required": ["inputs"],
        "additionalProperties": False,
    },
}
