"""Prepaid credit pays what it can, in a written order: priority (lower first), earlier expiry (none last), earlier
grant, id. Only credit of the invoice's currency that had not run out before the part ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from modelmint.commerce.billing.types import GrantBalance
from modelmint.commerce.billing.work import Work
from modelmint.kit.money import Money

_NEVER = datetime.max.replace(tzinfo=UTC)


def step(work: Work) -> Work:
    """Burns at most what is left of each grant, until nothing is due."""
    open_minor, burns = work.total.minor, []
    for grant in burning_order(work.inputs.grants):
        if not usable(grant, work.currency, work.inputs.part.end):
            continue
        burnt = min(grant.left.minor, open_minor)
        if burnt > 0:
            burns.append((grant.id, Money(burnt, work.currency)))
            open_minor -= burnt
    return replace(work, burns=tuple(burns))


def burning_order(grants: Iterable[GrantBalance]) -> list[GrantBalance]:
    """First to be burnt first."""
    return sorted(grants, key=lambda g: (g.priority, g.expires_at or _NEVER, g.granted_at, g.id))


def usable(grant: GrantBalance, currency: str, until: datetime) -> bool:
    """Whether it can pay for a part that ends at ``until``."""
    return grant.left.currency == currency and (grant.expires_at is None or grant.expires_at >= until)
