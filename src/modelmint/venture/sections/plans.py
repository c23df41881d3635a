"""``[plans.NAME]``: what is on sale."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from modelmint.venture.sections.base import Amount, Price, Section


class TierSection(Section):
    """Units up to ``up_to`` (None: all the rest) at ``price`` each."""

    up_to: int | None = Field(None, ge=1)
    price: Price


class ChargeSection(Section):
    """``[[plans.NAME.charges]]``: graduated tiers over one meter."""

    meter: Literal["calls", "items"] = "calls"
    tiers: list[TierSection] = Field(min_length=1)

    @model_validator(mode="after")
    def _rising(self) -> ChargeSection:
        bounds = [tier.up_to for tier in self.tiers]
        if any(bound is None for bound in bounds[:-1]):
            raise ValueError("only the last tier may have no up_to")
        known = [bound for bound in bounds if bound is not None]
        if known != sorted(set(known)):
            raise ValueError(f"up_to must rise from tier to tier, found {known}")
        if len({tier.price.currency for tier in self.tiers}) > 1:
            raise ValueError("the tiers of one charge share one currency")
        return self


class PlanSection(Section):
    """A plan: a trial (``free_calls``, ``days``), pay per use, or monthly with included calls and overage."""

    title: str = ""
    free_calls: int | None = Field(None, ge=0)
    days: int | None = Field(None, ge=1)
    per_call: Price | None = None
    monthly: Amount | None = None
    included_calls: int | None = Field(None, ge=0)
    overage: Price | None = None
    charges: list[ChargeSection] = []
    #: Calls a period may hold at most; more are refused with 402.
    max_calls: int | None = Field(None, ge=1)
    calls_per_minute: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _makes_sense(self) -> PlanSection:
        currencies = {
            price.currency
            for price in (self.per_call, self.monthly, self.overage, *(c.tiers[0].price for c in self.charges))
            if price is not None
        }
        if len(currencies) > 1:
            raise ValueError(f"a plan has one currency, found {', '.join(sorted(currencies))}")
        if self.per_call is not None and (self.monthly is not None or self.included_calls is not None):
            raise ValueError("per_call is for pay-per-use plans; a monthly plan uses included_calls and overage")
        if self.charges and (self.per_call is not None or self.overage is not None or self.included_calls is not None):
            raise ValueError("charges replaces per_call, included_calls and overage; give one or the other")
        if self.overage is not None and self.included_calls is None:
            raise ValueError("overage needs included_calls")
        if not currencies and self.free_calls is None:
            raise ValueError("a plan needs a price (per_call, monthly or charges) or free_calls")
        return self

    @property
    def currency(self) -> str | None:
        """The plan's currency; None for a plan without a price."""
        for price in (self.per_call, self.monthly, self.overage):
            if price is not None:
                return price.currency
        return self.charges[0].tiers[0].price.currency if self.charges else None
