"""What a key may do. A scope is a name; a key holds a sorted set of them, at least one."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from modelmint.commerce.people.errors import BadScope, KeyLacksScope
from modelmint.commerce.types import Key
from modelmint.kit.registry import nearest

PARTNER = "partner"
#: Scope -> what it allows.
SCOPES: dict[str, str] = {
    "events": "report usage events and read them back",
    "invoices": "read invoices and credit, change the own subscription",
    "keys": "make, rotate and revoke own keys and webhooks",
    PARTNER: "see and make the partner's own end customers",
    "predict": "make paid calls",
    "usage": "read the own usage",
}
#: What a new key may do unless it is told otherwise: all that a customer may do.
DEFAULT: tuple[str, ...] = tuple(scope for scope in sorted(SCOPES) if scope != PARTNER)


def parse(text: str) -> tuple[str, ...]:
    """``"predict usage"``, or with commas, as a sorted tuple; raises ``BadScope``."""
    return checked(text.replace(",", " ").split())


def checked(wanted: Iterable[str], within: Collection[str] = tuple(SCOPES)) -> tuple[str, ...]:
    """``wanted`` sorted, each once; raises ``BadScope`` with all that is wrong.

    ``within``: what the caller may give; nobody gives away more than they have.
    """
    names = sorted(set(wanted))
    problems = [] if names else [f"expected at least one scope of {', '.join(sorted(SCOPES))}, found none"]
    for name in names:
        if name not in SCOPES:
            close = nearest(name, list(SCOPES))
            problems.append(f"unknown scope {name[:40]!r}" + (f"; did you mean {close!r}?" if close else ""))
        elif name not in within:
            problems.append(f"the scope {name!r} is not the caller's to give; it holds {', '.join(sorted(within))}")
    if problems:
        raise BadScope(
            f"these scopes cannot be given; there are: {', '.join(sorted(SCOPES))}",
            problems=problems,
            details={"scopes": sorted(SCOPES)},
        )
    return tuple(names)


def require(key: Key, scope: str) -> None:
    """Raise ``KeyLacksScope`` unless ``key`` holds ``scope``."""
    require_of(key.scopes, scope)


def require_of(scopes: Collection[str], scope: str) -> None:
    """Raise ``KeyLacksScope`` unless ``scope`` is among ``scopes``."""
    if scope not in scopes:
        raise KeyLacksScope(
            f"expected a key with the scope {scope!r} ({SCOPES[scope]}), found one with {', '.join(scopes) or 'none'}. "
            f"Make one that holds it: modelmint keys add CUSTOMER --scopes {scope}",
            details={"needed": scope, "scopes": sorted(scopes)},
        )
