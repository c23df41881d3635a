"""Who acts: set at the edges (api, console, cli, worker), read where something is noted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

SYSTEM = "system"
FOUNDER = "founder"

_actor: ContextVar[str] = ContextVar("modelmint_actor", default=SYSTEM)


def actor() -> str:
    """``founder``, ``customer:ID``, ``partner:ID`` or ``system``."""
    return _actor.get()


@contextmanager
def acting(who: str) -> Iterator[None]:
    """What happens inside is done by ``who``."""
    token = _actor.set(who)
    try:
        yield
    finally:
        _actor.reset(token)
