"""Which version of which plan is on sale when. Offers are never edited: a change of mind is a later row.

Of a name's rows that are in effect the one with the latest beginning counts, of equals the later row. What stands in
the venture file and what the founder put through the API live beside each other: the file governs the names that it
states, and withdraws only what it stated itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from modelmint.commerce.types import Offer, Plan

FILE, API = "file", "api"


def on_sale(offers: Iterable[Offer], now: datetime) -> dict[str, str]:
    """Name -> version of what is on sale at ``now``, in the order in which the names first came."""
    by_name: dict[str, list[Offer]] = {}
    for offer in offers:
        if _in_effect(offer, now):
            by_name.setdefault(offer.name, []).append(offer)
    found = {name: standing(rows, now) for name, rows in by_name.items()}
    return {name: version for name, version in found.items() if version is not None}


def standing(rows: Sequence[Offer], at: datetime) -> str | None:
    """The version that one name's ``rows``, in the order of writing, put on sale at ``at``; None for none.

    A row without a date is in effect however far the clock has gone back.
    """
    known = [(offer.begins, place) for place, offer in enumerate(rows) if _in_effect(offer, at)]
    return rows[max(known)[1]].version if known else None


def _in_effect(offer: Offer, at: datetime) -> bool:
    return offer.effective_at is None or offer.effective_at <= at


def changes(
    offers: Sequence[Offer],
    wanted: Sequence[Plan],
    effective: Mapping[str, datetime],
    origin: str,
    now: datetime,
) -> list[Offer]:
    """The rows to add so that ``wanted`` are on sale, those in ``effective`` from then on.

    From the file: what it stated before and leaves out now is withdrawn, and scheduled changes that it no longer
    states are undone. Nothing is added where all is as it should be.
    """
    rows: dict[str, list[Offer]] = {plan.name: [] for plan in wanted}
    for offer in offers:
        rows.setdefault(offer.name, []).append(offer)
    versions = {plan.name: plan.version for plan in wanted}
    found: list[Offer] = []
    for name, known in rows.items():
        if name in versions:
            found += _changed(name, known, versions[name], effective.get(name), origin, now)
        elif origin == FILE and known[-1].origin == FILE:
            found += _changed(name, known, None, None, origin, now)
    return found


def _changed(
    name: str, rows: Sequence[Offer], version: str | None, effective: datetime | None, origin: str, now: datetime
) -> list[Offer]:
    """The rows that make ``name`` stand at ``version`` from ``effective`` (or now) on."""
    later = effective is not None and effective > now
    moments = {offer.effective_at for offer in rows if offer.effective_at is not None and offer.effective_at > now}
    if later and effective is not None:
        moments.add(effective)
    known = list(rows)
    before = standing(known, now)
    # A row is written after those that stand, whatever the clock says, so that it counts at once.
    written = max([now, *(offer.begins for offer in known if _in_effect(offer, now))])
    for moment in (None, *sorted(moments)):
        begun = not later or (moment is not None and effective is not None and moment >= effective)
        should = version if begun else before
        claimed = moment is None and version is not None and bool(known) and known[-1].origin != origin
        if standing(known, moment or now) != should or (claimed and not later):
            known.append(Offer(name, should, written, moment, origin))
    return known[len(rows) :]


def withdrawal(rows: Sequence[Offer], now: datetime) -> list[Offer]:
    """The rows that take one plan off sale, now and as planned."""
    return _changed(rows[-1].name, rows, None, None, API, now) if rows else []


def planned(offers: Iterable[Offer], name: str, version: str, now: datetime) -> datetime | None:
    """When ``version`` next begins to be on sale after ``now``, as it stands."""
    rows = [offer for offer in offers if offer.name == name]
    before = standing(rows, now)
    for moment in sorted({offer.begins for offer in rows if not _in_effect(offer, now)}):
        after = standing(rows, moment)
        if after == version != before:
            return moment
        before = after
    return None
