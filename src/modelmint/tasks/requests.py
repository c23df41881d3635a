"""A JSON request body as the payloads in it: pictures travel as base64 text."""

from __future__ import annotations

import binascii
import json
from typing import Any

from modelmint.tasks.errors import BadBase64, BadRequestBody, EmptyInput, TooManyInputs, name_input
from modelmint.tasks.types import Wishes

_FORMS = '{"image": "<base64>"}, {"images": ["<base64>", ...]} or {"inputs": [{"b64": "<base64>"}, ...]}'
_URLSAFE = str.maketrans("-_", "+/")


def payloads_from_json(body: bytes, max_items: int, wishes: Wishes | None = None) -> list[bytes]:
    """The payloads of a JSON body, in order; ``wishes`` is told of ``"explain": true``.

    Accepts ``{"image": text}``, ``{"images": [text, ...]}`` and ``{"inputs": [{"b64": text}, ...]}``, where each
    text is base64 (padded or not, URL-safe or not, line breaks allowed) or a ``data:`` URL with base64.
    Raises ``BadRequestBody``, ``EmptyInput``, ``TooManyInputs`` or ``BadBase64``.
    """
    found = _parse(body)
    if wishes is not None and "explain" in found:
        wishes.explain |= _flag("explain", found["explain"])
    texts = _texts(found)
    if not texts:
        raise EmptyInput(f"expected at least one picture, found an empty list; send {_FORMS}")
    if len(texts) > max_items:
        raise TooManyInputs(
            f"expected at most {max_items} inputs in one call, found {len(texts)}; send the rest in further calls",
            details={"limit": max_items, "found": len(texts)},
        )
    payloads = []
    for index, text in enumerate(texts):
        try:
            payloads.append(decode_base64(text))
        except (BadBase64, EmptyInput) as error:
            name_input(error, index, len(texts))
            raise
    return payloads


def _parse(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise BadRequestBody(f"expected JSON in UTF-8, found something else ({error}); send {_FORMS}") from error
    if not isinstance(found, dict):
        raise BadRequestBody(f"expected a JSON object, found {_kind(found)}; send {_FORMS}")
    return found


def _texts(found: dict[str, Any]) -> list[Any]:
    given = [key for key in ("image", "images", "inputs") if key in found]
    if len(given) != 1:
        keys = ", ".join(sorted(found)[:8]) or "no key"
        raise BadRequestBody(f"expected exactly one of image, images, inputs; found {keys}. Send {_FORMS}")
    value = found[given[0]]
    if given[0] == "image":
        return [value]
    if not isinstance(value, list):
        raise BadRequestBody(f"{given[0]}: expected a list, found {_kind(value)}; send {_FORMS}")
    if given[0] == "images":
        return value
    for index, item in enumerate(value):
        if not isinstance(item, dict) or "b64" not in item:
            raise BadRequestBody(f'inputs[{index}]: expected {{"b64": "<base64>"}}, found {_kind(item)}')
    return [item["b64"] for item in value]


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadRequestBody(f"{name}: expected true or false, found {_kind(value)}")
    return value


def decode_base64(text: Any) -> bytes:
    """The bytes behind base64 text or a ``data:`` URL; raises ``BadBase64`` or ``EmptyInput``."""
    if not isinstance(text, str):
        raise BadBase64(f"expected base64 text, found {_kind(text)}")
    if text.startswith("data:"):
        head, comma, text = text.partition(",")
        if not comma or not head.endswith(";base64"):
            raise BadBase64(f"expected a data URL like data:image/png;base64,..., found {head[:60]!r}")
    try:
        payload = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # the slow and lenient road: line breaks, URL-safe alphabet, missing padding
        tidy = "".join(text.split()).translate(_URLSAFE).rstrip("=")
        try:
            payload = binascii.a2b_base64(tidy + "=" * (-len(tidy) % 4), strict_mode=True)
        except ValueError as error:
            raise BadBase64(f"expected base64 text, found something else ({error}); encode the file's bytes") from error
    if not payload:
        raise EmptyInput("expected a picture in base64, found an empty text")
    return payload


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
    }
    return names.get(type(value), type(value).__name__)
