"""OpenAPI of the Open Inference Protocol v2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelmint.api.openapi_parts import CUSTOMER, TINY_PICTURE, Node, in_path, operation
from modelmint.api.openapi_schemas import ref, text
from modelmint.api.v2.requests import LONGEST_ID, LONGEST_NAME, MOST_DIMENSIONS, MOST_TENSORS
from modelmint.api.v2.tensors import DATATYPES

_MODEL = in_path("model", "A public model name.")
_VERSION = in_path("version", "The first 12 digits of the release's id, or all of it.")
_COUNT: Node = {"type": "integer", "minimum": 0}
_NAME = text(minLength=1, maxLength=LONGEST_NAME)
_DATATYPE = text(enum=list(DATATYPES))
_OPEN: Node = {"type": "object", "additionalProperties": True}
_BINARY: Node = {"schema": {}}
_EXAMPLE: Node = {"name": "image", "datatype": "BYTES", "shape": [1], "data": [TINY_PICTURE]}
_LENGTH = "Inference-Header-Content-Length"


def _object(description: str, properties: Node, required: Sequence[str]) -> Node:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": list(required),
        "additionalProperties": True,
    }


def _shape(least: int) -> Node:
    item = {"type": "integer", "minimum": least}
    return {"type": "array", "minItems": 1, "maxItems": MOST_DIMENSIONS, "items": item}


def _tensors(name: str, least: int) -> Node:
    return {"type": "array", "minItems": least, "maxItems": MOST_TENSORS, "items": ref(name)}


SCHEMAS: dict[str, Node] = {
    "InferError": _object(
        "An error in the protocol's form, with our stable code beside it.",
        {"error": text("What was expected, what was found, what to do."), "code": text("Stable, for programs.")},
        ["error", "code"],
    ),
    "InferInput": _object(
        "An input: `image` (BYTES, pictures: base64 in JSON, bytes in binary) or the encoded tensor that the model "
        "takes, as its metadata says. Numbers stand flat or nested; binary ones behind the JSON.",
        {
            "name": _NAME,
            "shape": _shape(0),
            "datatype": _DATATYPE,
            "data": {"type": "array"},
            "parameters": {"type": "object", "properties": {"binary_data_size": _COUNT}},
        },
        ["datatype", "name", "shape"],
    ),
    "InferOutputWanted": _object(
        "An output to answer; all where none is named.",
        {
            "name": _NAME,
            "parameters": {
                "type": "object",
                "properties": {"binary_data": {"type": "boolean"}, "classification": _COUNT},
            },
        },
        ["name"],
    ),
    "InferRequest": _object(
        "Open Inference Protocol v2.",
        {
            "id": text("Comes back with the answer.", maxLength=LONGEST_ID),
            "inputs": _tensors("InferInput", 1),
            "outputs": _tensors("InferOutputWanted", 0),
            "parameters": {
                "type": "object",
                "properties": {
                    "binary_data_output": {"type": "boolean"},
                    "explain": {
                        "type": "boolean",
                        "description": "Adds the outputs `explanation` and `explanation_png`; each item is metered on "
                        "`explanations`.",
                    },
                },
            },
        },
        ["inputs"],
    ),
    "InferOutput": _object(
        "An output, row-major; its bytes stand behind the JSON where `parameters.binary_data_size` says so.",
        {"name": text(), "datatype": _DATATYPE, "shape": _shape(0), "data": {"type": "array"}, "parameters": _OPEN},
        ["datatype", "name", "shape"],
    ),
    "InferAnswer": _object(
        "`parameters` hold what /v1 answers beside the predictions: prediction, release, variant, compute_ms, use, "
        "plan, remaining.",
        {
            "model_name": text(),
            "model_version": text(),
            "id": text(),
            "parameters": _OPEN,
            "outputs": {"type": "array", "items": ref("InferOutput")},
        },
        ["model_name", "model_version", "outputs", "parameters"],
    ),
    "ServerMetadata": _object(
        "Of the server.",
        {"name": text(), "version": text(), "extensions": {"type": "array", "items": text()}},
        ["extensions", "name", "version"],
    ),
    "TensorMetadata": _object(
        "-1 is the number of items in the call.",
        {"name": text(), "datatype": _DATATYPE, "shape": _shape(-1)},
        ["datatype", "name", "shape"],
    ),
    "ModelMetadata": _object(
        "Of a served model. A call gives one of its inputs.",
        {
            "name": text(),
            "versions": {"type": "array", "items": text()},
            "platform": text(),
            "inputs": {"type": "array", "items": ref("TensorMetadata")},
            "outputs": {"type": "array", "items": ref("TensorMetadata")},
            "parameters": _OPEN,
        },
        ["inputs", "name", "outputs", "platform", "versions"],
    ),
    "RepositoryIndex": {
        "type": "array",
        "items": _object(
            "A public name.",
            {"name": text(), "version": text(), "state": text(enum=["READY", "UNAVAILABLE"]), "reason": text()},
            ["name", "reason", "state", "version"],
        ),
    },
}


def _told(node: Node) -> Node:
    """``node`` with its errors in the protocol's form."""
    for status, response in node["responses"].items():
        if "$ref" in response:
            node["responses"][status] = {"$ref": f"#/components/responses/V{status}"}
    return node


def responses(problems: Node) -> Node:
    """The error responses of ``problems`` (by name, E404), in the protocol's form (V404)."""
    content = {"application/json": {"schema": ref("InferError")}}
    return {f"V{name[1:]}": {**response, "content": content} for name, response in problems.items()}


def _get(summary: str, answer: str, *parameters: Node, errors: Sequence[int] = ()) -> Node:
    return {"get": _told(operation(summary, answer, tag="inference", errors=errors, parameters=parameters))}


def _infer(summary: str, *parameters: Node) -> Node:
    node = operation(
        summary,
        "InferAnswer",
        tag="inference",
        security=CUSTOMER,
        errors=(400, 402, 403, 404, 408, 409, 413, 415, 422, 429),
        parameters=[
            *parameters,
            _header("Idempotency-Key", "The same key with the same body returns the first answer and costs nothing."),
            _header(_LENGTH, "Bytes of the JSON, where the bytes of binary tensors follow it.", pattern=r"^\d+$"),
            _header("Content-Encoding", "How the body is compressed.", enum=["gzip", "deflate", "identity"]),
        ],
    )
    node["description"] = (
        "A paid call like /v1/models/{model}/predict, with the same keys, limits and metering; every item counts as "
        "one call. `tritonclient` speaks this."
    )
    answered = node["responses"]["200"]
    answered["content"]["application/octet-stream"] = _BINARY
    answered["headers"] = {_LENGTH: {"description": "Bytes of the JSON, where binary follows.", "schema": text()}}
    example = {"id": "scan-7", "inputs": [_EXAMPLE], "outputs": [{"name": "label"}, {"name": "probabilities"}]}
    text_form = {"schema": ref("InferRequest"), "example": example}
    both = {"application/json": text_form, "application/octet-stream": _BINARY}
    node["requestBody"] = {"required": True, "content": both}
    return {"post": _told(node)}


def _header(name: str, description: str, **schema: Any) -> Node:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": text(**{"maxLength": 255, **schema}),
    }


_INDEX: Node = {
    "post": _told(operation("Repository index", "RepositoryIndex", tag="inference", errors=(400, 408, 413, 422)))
}
_BASE, _BY_VERSION = "/v2/models/{model}", "/v2/models/{model}/versions/{version}"
#: The paid ones, which the application answers beside the router.
PAID = (_BASE + "/infer", _BY_VERSION + "/infer")
PATHS: Node = {
    "/v2": _get("Server metadata", "ServerMetadata"),
    "/v2/health/live": _get("Server live", "Open"),
    "/v2/health/ready": _get("Server ready", "Open"),
    _BASE: _get("Model metadata", "ModelMetadata", _MODEL, errors=(404,)),
    _BY_VERSION: _get("Model version metadata", "ModelMetadata", _MODEL, _VERSION, errors=(404,)),
    _BASE + "/ready": _get("Model ready", "Open", _MODEL, errors=(404,)),
    _BY_VERSION + "/ready": _get("Model version ready", "Open", _MODEL, _VERSION, errors=(404,)),
    _BASE + "/config": _get("Model configuration", "Open", _MODEL, errors=(404,)),
    _BY_VERSION + "/config": _get("Model version configuration", "Open", _MODEL, _VERSION, errors=(404,)),
    "/v2/repository/index": _INDEX,
    PAID[0]: _infer("Infer", _MODEL),
    PAID[1]: _infer("Infer with a version", _MODEL, _VERSION),
}
