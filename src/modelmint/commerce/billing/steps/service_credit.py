"""Given back where a promise was not kept: a share of the billing period's fees and usage, when it ends.

What counts is in ``Kept``, from the recorded outcomes. Keys of ``InvoiceLine.data``: ``month``, ``of`` (fees and
usage), ``percent``, ``missed`` (a list of "p99" and "availability"), ``p99_ms``, ``promised_p99_ms``, ``calls``,
``failed``, ``promised_availability`` (percent); all but the counts are texts or None.
"""

from __future__ import annotations

from modelmint.commerce.billing.steps.cap import capped
from modelmint.commerce.billing.steps.minimum import fees_of
from modelmint.commerce.billing.types import Kept
from modelmint.commerce.billing.work import Work
from modelmint.commerce.rating.rate import period_name
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.types import Promise
from modelmint.kit.money import round_money

KIND = "service_credit"


def step(work: Work) -> Work:
    """One negative line where p99 or availability was missed over the billing period."""
    promise, kept = work.plan.promise, work.inputs.kept
    if promise is None or kept is None or not work.inputs.last:
        return work
    missed = missed_of(promise, kept)
    of = fees_of(work, work.inputs.period) + capped(work, work.inputs.period).after
    amount = -round_money(of.amount * promise.credit, work.currency)
    if not missed or amount.minor == 0:
        return work
    month, percent = period_name(work.inputs.period.start), f"{(promise.credit * 100).normalize():f}"
    line = InvoiceLine(
        description=f"{work.plan.title}: service credit, {month}",
        meter=None,
        quantity=1,
        unit_price=None,
        amount=amount,
        explanation=f"{'; '.join(_said(promise, kept, missed))}: {percent} % of {of} is given back",
        kind=KIND,
        data={"month": month, "of": str(of), "percent": percent, "missed": missed, **_figures(promise, kept)},
    )
    return work.add([line])


def missed_of(promise: Promise, kept: Kept) -> list[str]:
    """Which promises were not kept."""
    found = []
    if promise.p99_ms is not None and kept.p99_ms is not None and kept.p99_ms > promise.p99_ms:
        found.append("p99")
    if promise.availability is not None and kept.calls - kept.failed < promise.availability * kept.calls:
        found.append("availability")
    return found


def _said(promise: Promise, kept: Kept, missed: list[str]) -> list[str]:
    found = []
    if "p99" in missed:
        found.append(f"99 % of calls took up to {kept.p99_ms:f} ms, promised were {promise.p99_ms:f} ms")
    if "availability" in missed:
        share = _figures(promise, kept)["promised_availability"]
        found.append(f"{kept.failed} of {kept.calls} calls failed, promised was that {share} % succeed")
    return found


def _figures(promise: Promise, kept: Kept) -> dict[str, object]:
    return {
        "p99_ms": None if kept.p99_ms is None else f"{kept.p99_ms:f}",
        "promised_p99_ms": None if promise.p99_ms is None else f"{promise.p99_ms:f}",
        "calls": kept.calls,
        "failed": kept.failed,
        "promised_availability": None
        if promise.availability is None
        else f"{(promise.availability * 100).normalize():f}",
    }
