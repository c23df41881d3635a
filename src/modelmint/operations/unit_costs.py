"""What a call of each release costs here, from the releases' own cost statements."""

from __future__ import annotations

import logging
from decimal import Decimal

from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import BadMoney, UnitPrice
from modelmint.releases.bundle import Release
from modelmint.releases.shelf import Shelf

_log = logging.getLogger(__name__)
#: Thousand calls, as a power of ten.
_PER_1K = -3
#: No call costs as much; a closing must not fail over what a statement says.
_DEAREST = 1_000_000


def unit_costs(shelf: Shelf) -> dict[str, UnitPrice]:
    """Release id -> measured cost of one call on a machine kept busy; a release without a price is left out."""
    releases, _ = shelf.survey()
    found = {release.id: _newest(release) for release in releases}
    return {name: cost for name, cost in found.items() if cost is not None}


def _newest(release: Release) -> UnitPrice | None:
    """From the newest cost statement that has a figure. Of several models in one release the newest stands for all."""
    for statement in sorted(release.statements("cost"), key=lambda one: one.made_at, reverse=True):
        text, currency = statement.body.get("exact", {}).get("cost_per_1k"), statement.body.get("currency")
        if text is None or currency is None:
            continue
        try:
            cost = Decimal(text).scaleb(_PER_1K)
            if not 0 <= cost < _DEAREST:
                raise BadMoney(f"expected a cost of a call from 0 to {_DEAREST}, found {cost}")
            return UnitPrice(cost, str(currency))
        except (ModelmintError, ArithmeticError) as error:  # a foreign statement may say anything
            _log.warning("the cost statement of %s cannot be used: %s", release.id, error)
    return None
