"""What was used, by the plan's charges; the lines are made in ``commerce.rating``."""

from __future__ import annotations

from modelmint.commerce.billing.work import Work, shares_of
from modelmint.commerce.rating.rate import usage_lines


def step(work: Work) -> Work:
    """The lines of this billing period, then those of closed ones whose usage came late."""
    inputs = work.inputs
    return work.add(usage_lines(work.plan, inputs.cells, inputs.distinct, inputs.period.start, shares_of(work)))
