"""Whether what a batch of events adds can still be billed."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, func, select

from modelmint.commerce.metering.errors import MeterFull
from modelmint.commerce.metering.reach import MOST_UNITS, Held, out_of_reach
from modelmint.commerce.types import Plan
from modelmint.store.event_rows import Batch
from modelmint.store.schema import event_rollups

#: A batch that even so many like it would not fill a meter with is let in without adding up what is there already.
_SMALL = 100_000
_MILLION = 1_000_000


def check_reach(connection: Connection, batch: Batch, plan_of: Callable[[str], Plan]) -> None:
    """After a batch was added up; raises ``MeterFull``. ``plan_of`` gives the plan of a subscription."""
    for (subscription, period, meter), held in _added(batch).items():
        plan = plan_of(subscription)
        if out_of_reach(plan, meter, held.times(_SMALL)) and out_of_reach(
            plan, meter, _all(connection, subscription, period, meter)
        ):
            raise MeterFull(
                f"expected the billing period's sum of {meter!r} to stay below {MOST_UNITS:,} and to cost what an "
                "invoice can say; check the quantities, or use a larger unit"
            )


def _added(batch: Batch) -> dict[tuple[str, int, str], Held]:
    found: dict[tuple[str, int, str], Held] = {}
    for (subscription, _, period, meter, *_), (n, quantity, _, amount) in batch.sums.items():
        before = found.get((subscription, period, meter), Held(0, 0, 0))
        units = before.units + -(-quantity // _MILLION)
        found[subscription, period, meter] = Held(before.n + n, units, before.amount + amount)
    return found


def _all(connection: Connection, subscription: str, period: int, meter: str) -> Held:
    """All of the billing period; added up in whole units, which no number of rows makes too large for the database."""
    rows = event_rollups.c
    query = select(func.sum(rows.n), func.sum(rows.quantity // _MILLION + 1), func.sum(rows.amount_minor // _MILLION))
    query = query.where(rows.subscription == subscription, rows.period == period, rows.meter == meter)
    n, units, amount = connection.execute(query).one()
    return Held(int(n or 0), int(units or 0), int(amount or 0) * _MILLION)
