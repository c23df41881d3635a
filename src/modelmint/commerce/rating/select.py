"""Which charge counts which usage, and how much of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from modelmint.commerce.metering.types import Cell, Distinct, Quantities
from modelmint.commerce.types import Charge, Fits


@dataclass(frozen=True, slots=True)
class Counted:
    """What ``charge`` counts in the billing period that begins at ``period``."""

    charge: Charge
    period: datetime
    before: Decimal
    new: Decimal


def counted(charges: Sequence[Charge], cells: Iterable[Cell], distinct: Iterable[Distinct]) -> list[Counted]:
    """Every charge with what it counts, period by period, in the order of periods and then of the charges.

    A cell is counted by the first charge over its meter that fits. Different values of a meter are counted by
    its ``unique`` charge, which takes all of the meter. Usage that no charge fits costs nothing.
    """
    parts: dict[tuple[datetime, int], list[Cell]] = {}
    for cell in cells:
        place = _first_fit(charges, cell)
        if place is not None:
            parts.setdefault((cell.period, place), []).append(cell)
    found = {
        (period, place): _added(charges[place], period, together)
        for (period, place), together in parts.items()
        if charges[place].aggregate != "unique"
    }
    for values in distinct:
        for place, charge in enumerate(charges):
            if charge.meter == values.meter and charge.aggregate == "unique":
                before, new = Decimal(values.before), Decimal(values.new)
                found[values.period, place] = Counted(charge, values.period, before, new)
    return [found[key] for key in sorted(found)]


def fits(wanted: Fits, cell: Cell) -> bool:
    """Whether ``cell`` is of the model, variant and state that are asked for."""
    asked = ((wanted.model, cell.model), (wanted.variant, cell.variant), (wanted.state, cell.state))
    return all(want is None or want == is_ for want, is_ in asked)


def _first_fit(charges: Sequence[Charge], cell: Cell) -> int | None:
    places = (i for i, charge in enumerate(charges) if charge.meter == cell.meter and fits(charge.fits, cell))
    return next(places, None)


def _added(charge: Charge, period: datetime, cells: Sequence[Cell]) -> Counted:
    """One number before and one more, over all cells of the charge."""
    if charge.aggregate == "max":
        before = max(cell.before.largest for cell in cells)
        after = max(before, *(cell.new.largest for cell in cells))
        return Counted(charge, period, before, after - before)
    before = sum((_value(charge, cell.before) for cell in cells), Decimal(0))
    new = sum((_value(charge, cell.new) for cell in cells), Decimal(0))
    return Counted(charge, period, before, new)


def _value(charge: Charge, quantities: Quantities) -> Decimal:
    """What the charge adds up: stated amounts (minor units), events, or quantities."""
    if charge.kind == "percentage":
        return Decimal(quantities.amount)
    return Decimal(quantities.n) if charge.aggregate == "count" else quantities.sum
