"""``[[plans.NAME.charges]]``: a price over a meter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from modelmint.venture.sections.base import MOST_UNITS, Complaint, Percent, Price, Section, refuse_if_any

#: Meters that every call feeds; any other name is fed by usage events.
CALL_METERS = ("calls", "items", "megapixels", "characters", "tokens", "compute_ms", "explanations")
#: How an answer can end; events may name other states.
CALL_STATES = ("ok", "abstained")
METER = re.compile(r"[a-z][a-z0-9_.]{0,63}")
METER_NAMES = "a meter's name has small letters, digits, '_' and '.', begins with a letter and has at most 64"

Kind = Literal["per_unit", "graduated", "package", "percentage"]
_Named = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class TierSection(Section):
    """Units up to ``up_to`` (None: all the rest) at ``price`` each."""

    up_to: int | None = Field(None, ge=1, le=MOST_UNITS)
    price: Price


class ChargeSection(Section):
    """One price over one meter: each unit, graduated tiers, begun packages, or a share of stated amounts."""

    meter: str = "calls"
    #: Derived from the keys beside it where it is not given.
    kind: Kind | None = None
    aggregate: Literal["sum", "count", "max", "unique"] = "sum"
    price: Price | None = None
    tiers: list[TierSection] = []
    #: Units in a package, of which ``price`` is the price.
    package: int | None = Field(None, ge=1, le=MOST_UNITS)
    percent: Percent | None = None
    #: Counts only usage of this model, variant or state of the answer.
    model: _Named | None = None
    variant: _Named | None = None
    state: _Named | None = None
    #: Units (percentage: an amount in the smallest coins) that cost nothing in each period.
    included: int = Field(0, ge=0, le=MOST_UNITS)

    @model_validator(mode="after")
    def _makes_sense(self) -> ChargeSection:
        complaints = [*self._price_complaints(), *self._tier_complaints(), *self._meter_complaints()]
        refuse_if_any(iter(complaints))
        return self

    @property
    def priced_as(self) -> Kind:
        """The price model that the given keys mean."""
        if self.percent is not None:
            return "percentage"
        if self.package is not None:
            return "package"
        single = self.price is not None or (len(self.tiers) == 1 and self.tiers[0].up_to is None)
        return "per_unit" if single else "graduated"

    @property
    def currency(self) -> str | None:
        """Of its prices; a percentage has none."""
        if self.price is not None:
            return self.price.currency
        return self.tiers[0].price.currency if self.tiers else None

    @property
    def fits(self) -> dict[str, str]:
        """What it asks of usage."""
        asked = {"model": self.model, "variant": self.variant, "state": self.state}
        return {name: value for name, value in asked.items() if value is not None}

    def _price_complaints(self) -> Iterator[Complaint]:
        given = [key for key in ("price", "tiers", "percent") if getattr(self, key)]
        given += ["percent"] if self.percent is not None and "percent" not in given else []
        if "tiers" in self.model_fields_set and not self.tiers:
            yield Complaint(("tiers",), "expected at least one tier, found none")
        elif not given:
            message = "a charge needs price (of a unit, or with package of a package), tiers or percent"
            yield Complaint((), message, needs=(("price",), ("tiers",), ("percent",)))
        elif len(given) > 1:
            yield Complaint((given[1],), f"give one of price, tiers and percent, found {', '.join(given)}")
        if self.package is not None and self.price is None:
            message = "package is a number of units and goes with price, the price of one package"
            yield Complaint(("package",), message, needs=(("price",),))
        if self.kind is not None and given and self.kind not in (self.priced_as, *self._also()):
            yield Complaint(("kind",), f"the keys beside it make a {self.priced_as} charge, found kind {self.kind!r}")

    def _also(self) -> tuple[str, ...]:
        """One open tier is per unit and graduated alike."""
        return ("graduated",) if self.priced_as == "per_unit" and self.tiers else ()

    def _tier_complaints(self) -> Iterator[Complaint]:
        bounds = [tier.up_to for tier in self.tiers]
        for place, bound in enumerate(bounds[:-1]):
            if bound is None:
                yield Complaint(("tiers", place), "needs up_to; only the last tier may go without")
        known = [bound for bound in bounds if bound is not None]
        if known != sorted(set(known)):
            yield Complaint(("tiers",), f"up_to must rise from tier to tier, found {', '.join(map(str, known))}")
        if len({tier.price.currency for tier in self.tiers}) > 1:
            yield Complaint(("tiers",), "the tiers of one charge share one currency")
        if bounds and bounds[-1] is not None and not self.stops:
            # Calls can stop with the last tier, because they are counted before they are answered.
            what = f"the last tier of meter {self.meter!r} ends at {bounds[-1]}"
            message = f"{what}; leave out its up_to, so that every unit has a price"
            yield Complaint(("tiers", len(bounds) - 1, "up_to"), message)

    def _meter_complaints(self) -> Iterator[Complaint]:
        if not METER.fullmatch(self.meter):
            yield Complaint(("meter",), f"{METER_NAMES}; found {self.meter[:80]!r}")
        elif self.meter not in CALL_METERS and (close := get_close_matches(self.meter, CALL_METERS, 1, 0.8)):
            # A misspelt meter would let calls go free.
            message = (
                f"{self.meter!r} looks like the meter {close[0]!r} that calls feed; name your own more differently"
            )
            yield Complaint(("meter",), message, close[0])
        if self.meter in CALL_METERS:
            if self.aggregate in ("max", "unique"):
                message = f"{self.aggregate} is for meters that events feed; {self.meter!r} is fed by calls"
                yield Complaint(("aggregate",), f"{message}: use sum or count")
            if self.percent is not None:
                message = f"a percentage is of amounts that events state; {self.meter!r} is fed by calls"
                yield Complaint(("percent",), f"{message}: name a meter of your own")
            if self.state is not None and self.state not in CALL_STATES:
                yield Complaint(("state",), f"expected {' or '.join(CALL_STATES)}, found {self.state!r}")
        if self.aggregate != "sum" and self.percent is not None:
            yield Complaint(("aggregate",), f"a percentage adds amounts up; {self.aggregate} does not go with it")
        if self.aggregate == "unique" and self.fits:
            message = f"unique counts all of its meter; it cannot ask for {', '.join(self.fits)}"
            yield Complaint((next(iter(self.fits)),), message, needs=(("aggregate",),))

    @property
    def stops(self) -> bool:
        """Whether a last tier with an end can stop the calls that would come after it."""
        return self.meter == "calls" and self.aggregate == "sum" and not self.fits


def reach_complaints(charges: Sequence[ChargeSection]) -> Iterator[Complaint]:
    """Charges that never count anything, because one before them takes it all."""
    for place, charge in enumerate(charges):
        for first, earlier in enumerate(charges[:place]):
            if earlier.meter != charge.meter:
                continue
            needs = tuple(("charges", one, "meter") for one in (first, place))
            if "unique" in (earlier.aggregate, charge.aggregate):
                message = f"a unique charge is the only one over its meter, found two over {charge.meter!r}"
                yield Complaint(("charges", place), message, needs=needs)
            elif earlier.fits.items() <= charge.fits.items():
                message = (
                    f"a second charge over meter {charge.meter!r} that never counts: the one before takes it all; "
                )
                rest = (
                    "put its tiers into the first one, or let the one that asks for model, variant or state come first"
                )
                yield Complaint(("charges", place), message + rest, needs=needs)
            else:
                continue
            break
