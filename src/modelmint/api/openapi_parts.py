"""What OpenAPI operations are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelmint.api.openapi_schemas import ref, text

Node = dict[str, Any]

MEANING = {
    400: "The request cannot be read (body cut off, not JSON, not multipart, bad header)",
    401: "No key, a wrong key or a revoked one; for founder's routes a wrong token",
    402: "The plan does not cover the call; `plans` names the plans to buy. Not billed",
    403: "The key may not do this: its scopes do not hold it",
    404: "There is no such thing, or it is not yours",
    405: "The route does not take this method",
    408: "The request body did not arrive in time",
    409: "It contradicts the present state (the first call with this Idempotency-Key still runs)",
    410: "It is not kept any more",
    412: "Something must be set up first; the problem says what",
    413: "The body is too large, or holds too many inputs. Not billed",
    415: "The body's media type is not read here",
    422: "An input cannot be used (not a picture, truncated, too many pixels, bad field). Not billed",
    429: "More calls than the plan's rate allows, or more requests than one key or address may send; come back after "
    "Retry-After. Not billed",
    431: "The request line and headers together are too large",
    500: "The server failed and logged it under `instance`. Not billed",
    503: "Too much to do, or not ready; come back after Retry-After. Not billed",
}
CUSTOMER: list[Node] = [{"key": []}]
FOUNDER: list[Node] = [{"founder": []}]
#: A picture of one grey pixel, for examples.
TINY_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
_COMMON = (405, 429, 431, 500, 503)


def _errors(*statuses: int) -> Node:
    return {str(status): {"$ref": f"#/components/responses/E{status}"} for status in sorted({*statuses, *_COMMON})}


def json_of(schema: str) -> Node:
    """JSON content of a component schema."""
    return {"application/json": {"schema": ref(schema)}}


def operation(
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
    """One operation, with every error it can answer."""
    name = "".join(word.capitalize() for word in summary.lower().replace("'", "").replace(",", "").split())
    known = {*errors, *((401,) if security else ()), *((400, 408, 413, 422) if body else ())}
    node: Node = {
        "operationId": name[0].lower() + name[1:],
        "summary": summary,
        "tags": [tag],
        "security": security or [],
        "responses": {str(status): {"description": summary, "content": json_of(answer)}, **_errors(*known)},
    }
    if parameters:
        node["parameters"] = list(parameters)
    if body:
        node["requestBody"] = {"content": json_of(body)}
    return node


def printed(node: Node) -> Node:
    """``node``, which answers as text, page or PDF as well."""
    content = node["responses"]["200"]["content"]
    content |= {kind: {"schema": text()} for kind in ("text/plain", "text/html")}
    content["application/pdf"] = {"schema": text(format="binary")}
    return node


def as_table(node: Node) -> Node:
    """``node``, which answers as CSV as well."""
    node["responses"]["200"]["content"]["text/csv"] = {"schema": text()}
    return node


def in_path(name: str, description: str) -> Node:
    """A path parameter."""
    return {"name": name, "in": "path", "required": True, "description": description, "schema": text()}


def in_query(name: str, description: str, **schema: Any) -> Node:
    """A query parameter."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": text(**schema)}


FORM = [
    in_query("format", "Of the answer.", enum=["json", "text", "html", "pdf"]),
    in_query("lang", "Of the text, the page or the PDF.", enum=["en", "zh"]),
]
PAGE = [
    in_query("after", "The `next` of the former page."),
    in_query("limit", "How many at most, 1 to 1000; 100 where it is left out.", pattern=r"^\d+$"),
]
MONTH = in_query("period", "A month; the present one where it is left out.", pattern=r"^\d{4}-\d{2}$")
