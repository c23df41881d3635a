"""Canonical JSON: one byte string per value, so that a digest names content and not its spelling.

Keys sorted, no white space, UTF-8 unescaped, in the spirit of RFC 8785; ``Decimal`` is written as a
string, dates as ISO 8601 in UTC with ``Z``. NaN and infinities are refused: they have no JSON form.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any

_PLAIN = (str, int, bool, float)


def plain(value: Any) -> Any:
    """``value`` as plain JSON types (dict, list, str, int, float, bool, None)."""
    if value is None or type(value) in _PLAIN:  # most values: asked first
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(item) for item in value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, PurePath):
        return value.as_posix()
    if hasattr(value, "item") and not isinstance(value, (str, bytes, int, float, bool)):
        return plain(value.item())  # a numpy scalar
    return value


def canonical_json(value: Any) -> bytes:
    """The canonical bytes of ``value``; raises ``ValueError`` on NaN, ``TypeError`` on an unknown type."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def pretty_json(value: Any) -> str:
    """Readable JSON with sorted keys, for files that people open."""
    return json.dumps(plain(value), sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
