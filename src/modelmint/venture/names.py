"""Names that a venture file may use and that floors above this one implement.

``venture`` may not import those floors, so the built-in names stand here and a test holds them equal to the
registries; plugins announce theirs by entry-point name (``KIND:NAME``), which is read without loading them.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from modelmint.kit.registry import ENTRY_POINT_GROUP
from modelmint.venture.types import KeyPath

#: kind of registry -> built-in names.
BUILT_IN: dict[str, tuple[str, ...]] = {
    "backbone": ("cnn", "efficientnet-lite0", "efficientnet-lite2"),
    "reader": ("npz", "folders", "list", "sklearn"),
    "solution": ("image-screening", "digits", "chest-xray"),
}

#: Key of the file -> values that other descriptions of the format know and this version cannot do.
NOT_AVAILABLE: dict[str, tuple[str, ...]] = {
    "base": ("auto",),
    "method": ("lora", "adalora", "adapter"),
    "recipe": ("auto", "prune"),
    "kind": ("prune",),
}


def not_available(path: KeyPath, value: object) -> bool:
    """Whether ``value`` at ``path`` is right in form and not available in this version."""
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    return value in NOT_AVAILABLE.get(key, ())


def names(kind: str) -> list[str]:
    """Built-in names of ``kind``, then those that installed plugins announce."""
    announced = [entry.name.partition(":") for entry in entry_points(group=ENTRY_POINT_GROUP)]
    return [*BUILT_IN[kind], *(name for found, _, name in announced if found == kind and name not in BUILT_IN[kind])]
