"""What changing, pausing and cancelling does to a customer's spans. Pure: spans in, edits out.

Spans of one customer never overlap. A span that was given up before it began, or in the moment in which it began,
ends where it starts: it has no length, was never held and is passed over everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from modelmint.commerce.billing.types import Scheduled
from modelmint.commerce.types import Plan, Subscription
from modelmint.kit.period import billing_period

ACTIVE, PAUSED = "active", "paused"
#: How far ahead a change can be planned.
HORIZON = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Edits:
    """Spans whose end moves, and the span that begins; its id (and root, where it is its own) is "" yet."""

    ends: tuple[tuple[str, datetime | None], ...] = ()
    begins: Subscription | None = None

    def __bool__(self) -> bool:
        return bool(self.ends) or self.begins is not None


def live(spans: Iterable[Subscription]) -> list[Subscription]:
    """Those that have a length, in the order of time."""
    found = [span for span in spans if span.ends_at is None or span.ends_at > span.starts_at]
    return sorted(found, key=lambda span: span.starts_at)


def held_at(spans: Iterable[Subscription], at: datetime) -> Subscription | None:
    """The span that holds the moment."""
    found = (s for s in live(spans) if s.starts_at <= at and (s.ends_at is None or at < s.ends_at))
    return next(found, None)


def switch(spans: Sequence[Subscription], at: datetime, wanted: Subscription | None, anchor: int) -> Edits:
    """From ``at`` on ``wanted`` (its plan, version and state), or nothing; whatever was planned for later is undone.

    Taking up the same plan version again in one billing period goes on with the former root, so that tiers,
    included units and fees go on where they were.
    """
    known = live(spans)
    current = held_at(known, at)
    if wanted is not None and current is not None and _alike(current, wanted):
        return _kept(known, current, at)
    cut: dict[str, datetime | None] = {}
    for span in known:
        if span.starts_at >= at:
            cut[span.id] = span.starts_at
        elif span.ends_at is None or span.ends_at > at:
            cut[span.id] = at
    if wanted is None:
        return Edits(tuple(cut.items()))
    root = wanted.root or root_for(known, at, wanted, anchor)
    return _placed(known, cut, replace(wanted, root=root, starts_at=at, ends_at=None))


def turn(spans: Sequence[Subscription], at: datetime, state: str) -> Edits:
    """Pause or resume at ``at`` what is held then; changes planned for later still happen."""
    known = live(spans)
    span = held_at(known, at)
    if span is None or span.state == state:
        return Edits()
    cut: dict[str, datetime | None] = {span.id: at}
    return _placed(known, cut, replace(span, id="", state=state, starts_at=at))


def settled(spans: Sequence[Subscription], now: datetime, anchor: int) -> Edits:
    """What is held now goes on for good: all that is planned is undone."""
    span = held_at(spans, now)
    if span is None:
        return switch(spans, now, None, anchor)
    return _kept(spans, span, now)


def too_soon(held: Subscription | None, present: Plan | None, wanted: Plan | None, at: datetime, anchor: int) -> str:
    """Why customers cannot put ``wanted`` (None: nothing, or a pause) in place of ``present`` then; "" if they can.

    A fee is for a whole billing period, and so are the units that it includes: whoever could leave once they are used
    would have them for next to nothing.
    """
    if held is None or present is None or held.state == PAUSED or at == billing_period(at, anchor).start:
        return ""
    fee = _yearly_minor(present)
    if not fee or (wanted is not None and wanted.currency == present.currency and _yearly_minor(wanted) >= fee):
        return ""
    what = "it can be cancelled or paused"
    if wanted is not None:
        what = f"{wanted.name!r}, whose fee is lower or in another currency, can be taken"
    end = billing_period(at, anchor).end
    return (
        f"{present.name!r} is paid by the billing period: {what} from {end:%Y-%m-%dT%H:%M:%SZ} on. "
        "Ask again with 'period_end'"
    )


def _yearly_minor(plan: Plan) -> int:
    """What twelve billing periods cost at least, in minor units."""
    monthly, yearly, least = (0 if one is None else one.minor for one in (plan.monthly, plan.yearly, plan.minimum))
    return max(12 * monthly + yearly, 12 * least)


def _kept(spans: Iterable[Subscription], current: Subscription, at: datetime) -> Edits:
    """``current``, which holds ``at``, goes on for good, and nothing comes after it."""
    later = tuple((span.id, span.starts_at) for span in live(spans) if span.starts_at > at)
    return Edits((*later, *(() if current.ends_at is None else ((current.id, None),))))


def root_for(spans: Iterable[Subscription], at: datetime, wanted: Subscription, anchor: int) -> str:
    """The root that the wanted plan version had in this billing period already; "" for a new one."""
    begin = billing_period(at, anchor).start
    for span in reversed(live(spans)):
        same = (span.plan, span.plan_version) == (wanted.plan, wanted.plan_version)
        if same and span.starts_at < at and (span.ends_at is None or span.ends_at > begin):
            return span.root or span.id
    return ""


def _placed(spans: Sequence[Subscription], cut: dict[str, datetime | None], wanted: Subscription) -> Edits:
    """``wanted`` after the cuts: where it goes on with what stands before it, that span just ends later."""
    for span in spans:
        end = cut.get(span.id, span.ends_at)
        if end == wanted.starts_at and span.starts_at < wanted.starts_at and _alike(span, wanted):
            ends = {**cut, span.id: wanted.ends_at}
            ends = {name: to for name, to in ends.items() if to != _end_of(spans, name)}
            return Edits(tuple(ends.items()))
    return Edits(tuple(cut.items()), wanted)


def _end_of(spans: Iterable[Subscription], name: str) -> datetime | None:
    return next(span.ends_at for span in spans if span.id == name)


def _alike(one: Subscription, other: Subscription) -> bool:
    same = (one.plan, one.plan_version, one.state) == (other.plan, other.plan_version, other.state)
    return same and other.root in (one.root or one.id, "")


def scheduled(spans: Iterable[Subscription], now: datetime) -> list[Scheduled]:
    """What is planned after ``now``, in the order of time."""
    known = live(spans)
    found = []
    for place, span in enumerate(known):
        before = known[place - 1] if place and known[place - 1].ends_at == span.starts_at else None
        if span.starts_at > now:
            found.append(Scheduled(span.starts_at, _what(before, span), span.plan, span.plan_version))
        follows = place + 1 < len(known) and known[place + 1].starts_at == span.ends_at
        if span.ends_at is not None and span.ends_at > now and not follows:
            found.append(Scheduled(span.ends_at, "cancel", span.plan, span.plan_version))
    return found


def _what(before: Subscription | None, span: Subscription) -> str:
    if before is None:
        return "subscribe"
    if (before.plan, before.plan_version) != (span.plan, span.plan_version):
        return "change"
    return "pause" if span.state == PAUSED else "resume"
