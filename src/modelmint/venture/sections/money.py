"""``[demand]``, ``[costs]`` and ``[machine]``: what turns milliseconds into a monthly value."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from modelmint.venture.sections.base import Complaint, Percent, Price, Section, refuse_if_any

Share = Annotated[float, Field(ge=0, le=1)]


class DemandSection(Section):
    """Expected calls a month and how far the busiest hour stands above the mean."""

    calls_per_month: int = Field(ge=1)
    peak_to_mean: float = Field(4.0, ge=1)
    #: plan -> share of all calls; paid plans share equally where it is not given (and the output says so).
    plan_mix: dict[str, Share] = {}
    #: Calls that one customer of a monthly plan makes; its included calls where not given.
    calls_per_customer: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _shares_fit(self) -> DemandSection:
        refuse_if_any(self._complaints())
        return self

    def _complaints(self) -> Iterator[Complaint]:
        total = sum(self.plan_mix.values())
        if total > 1 + 1e-9:
            yield Complaint(("plan_mix",), f"shares of all calls add up to at most 1, found {total:g}")


class CostsSection(Section):
    """What a call costs beside the machine."""

    wrong_answer: Price | None = None
    payment_fee: Percent = Decimal(0)
    storage_per_call: Price | None = None
    review_per_abstention: Price | None = None


class MachineSection(Section):
    """The machine the service will run on; ``build`` must run on one like it to measure it."""

    name: str = "this machine"
    price_per_hour: Price | None = None
