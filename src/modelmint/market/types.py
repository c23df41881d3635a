"""The nouns of economics: money that is expected, not billed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from modelmint.kit.estimate import Estimate


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of one way to serve a model. None: nobody measured it."""

    #: Calls a second of one machine, within the p99 limit where there is one.
    calls_per_second: Decimal | None
    #: Share of calls answered wrongly, and left open, on validation.
    wrong: Estimate | None
    left_open: Decimal | None
    #: False where no p99 limit was held against the rate.
    limited: bool = True


@dataclass(frozen=True, slots=True)
class PlanRevenue:
    """What the calls of one plan bring in a month, major units."""

    plan: str
    calls: int
    #: None where it makes no difference who calls, as with one price for each call.
    customers: int | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Revenue:
    """Major units a month, how it comes about plan by plan, and what was assumed."""

    amount: Decimal
    plans: tuple[PlanRevenue, ...]
    assumptions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Amount:
    """Money in major units that was estimated, not billed, with its 95 % interval; exact decimals as text in JSON."""

    value: str
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class CostStatement:
    """What serving a candidate costs and brings, from its load test. Money in major units of ``currency``.

    Everything is a decimal as text, so that nothing is lost in JSON. None: not computable; ``missing`` says why.
    """

    currency: str | None
    #: Calls a second of one machine within the p99 limit.
    calls_per_second: str | None
    peak_calls_per_second: str | None
    machines: int | None
    #: Machine cost of 1,000 calls on a machine kept busy at the measured rate.
    cost_per_1k: str | None
    #: All costs of a month (errors apart) per 1,000 calls at the expected demand.
    cost_per_1k_at_demand: str | None
    revenue: str | None
    machine_cost: str | None
    payment_fees: str | None
    storage_cost: str | None
    review_cost: str | None
    error_cost: str | None
    gross_margin: str | None
    monthly_value: Amount | None
    #: Share of calls answered and wrong on validation, and left open.
    wrong_share: Estimate | None
    abstained_share: float | None
    #: Every default that was assumed, as a sentence.
    assumptions: tuple[str, ...]
    missing: tuple[str, ...]
    #: The venture's name for the machine that the service will run on.
    machine: str = "this machine"
