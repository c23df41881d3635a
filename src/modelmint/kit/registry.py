"""An explicit dict of built-in variants plus what outsiders register through entry points."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from modelmint.kit.errors import NotFound

T = TypeVar("T")
ENTRY_POINT_GROUP = "modelmint.plugins"


class UnknownVariant(NotFound):
    """A name that no built-in and no plugin carries."""

    code = "unknown_variant"


def nearest(name: str, known: Iterator[str] | list[str]) -> str | None:
    """The known name closest to ``name``, or None when nothing is close."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None


class Registry(Generic[T]):
    """Variants of one kind by name.

    A plugin's entry point in the group ``modelmint.plugins`` is named ``KIND:NAME`` (e.g. ``reader:dicom``).
    """

    def __init__(self, kind: str, builtin: Mapping[str, T]) -> None:
        self.kind = kind
        self._known: dict[str, T] = dict(builtin)
        self._plugins_loaded = False

    def register(self, name: str, variant: T) -> None:
        """Add one at run time (the workshop registers its torch engine so)."""
        self._known[name] = variant

    def names(self) -> list[str]:
        """All names, sorted."""
        self._load_plugins()
        return sorted(self._known)

    def get(self, name: str) -> T:
        """The variant called ``name``; raises ``UnknownVariant`` with the nearest name."""
        if name not in self._known:
            self._load_plugins()
        if name in self._known:
            return self._known[name]
        close = nearest(name, list(self._known))
        hint = f"; did you mean {close!r}?" if close else ""
        raise UnknownVariant(f"no {self.kind} called {name!r}{hint} Known: {', '.join(self.names())}")

    def _load_plugins(self) -> None:
        if self._plugins_loaded:
            return
        self._plugins_loaded = True
        for entry in entry_points(group=ENTRY_POINT_GROUP):
            kind, _, name = entry.name.partition(":")
            if kind == self.kind and name not in self._known:
                self._known[name] = entry.load()
