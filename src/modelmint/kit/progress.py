"""How long work tells of itself. The shell draws it; a server or a test may stay silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Bar(Protocol):
    """One running piece of work."""

    def advance(self, by: int = 1, **figures: float | str) -> None:
        """``by`` more units done; ``figures`` (loss, accuracy) are shown beside the bar."""
        ...


class Progress(Protocol):
    """Where steps announce themselves. Writes to stderr or nowhere, never to stdout."""

    def step(self, name: str, *, cached: bool = False) -> None:
        """A build step begins, or is taken from the cache."""
        ...

    def note(self, text: str) -> None:
        """One line for the user."""
        ...

    def bar(self, title: str, total: int) -> AbstractContextManager[Bar]:
        """Context manager around ``total`` units of work."""
        ...


class _SilentBar:
    def advance(self, by: int = 1, **figures: float | str) -> None:
        return None


class Silent:
    """Says nothing."""

    def step(self, name: str, *, cached: bool = False) -> None:
        return None

    def note(self, text: str) -> None:
        return None

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        yield _SilentBar()


def figures_line(figures: Mapping[str, float | str]) -> str:
    """``loss 0.123  accuracy 0.98``: figures as one short line."""
    return "  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in figures.items())
