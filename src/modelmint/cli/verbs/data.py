"""``modelmint data``: the dataset as the judge and the training see it."""

from __future__ import annotations

from collections.abc import Callable

VERBS: dict[str, Callable[..., None]] = {}
