"""What a plan says that can hardly be meant, because usage would cost (next to) nothing. Hints, never refusals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from modelmint.commerce.types import Fits, Plan
from modelmint.venture.sections.charges import CALL_METERS, CALL_STATES

#: From so many passes on an explanation is no small gift: a class-activation map takes one, occlusion 49.
_DEAR = 8


def hints(
    plans: Iterable[Plan], models: Collection[str], variants: Collection[str], passes: int | None = None
) -> list[str]:
    """Names that charges ask for and nothing here has, and usage that fits no charge or that none counts.

    ``models`` and ``variants`` are the names known; none known: nothing to compare with. ``passes`` are those that an
    explanation takes beyond its answer's own; None: not known.
    """
    plans, found = list(plans), list[str]()
    for plan in plans:
        for position, charge in enumerate(plan.charges):
            for key, name, known in (("model", charge.fits.model, models), ("variant", charge.fits.variant, variants)):
                if name is not None and known and name not in known:
                    found.append(f"plans.{plan.name}.charges.{position}.{key}: {_unknown(key, name, known)}")
        found += _uncounted(plan)
        found += _unpaid(plan)
    if passes is not None and passes >= _DEAR:
        found += _unexplained(plans, passes)
    return found


def _unknown(key: str, name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, sorted(known), 1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return (
        f"no deployment and no table of the venture file has the {key} {name!r}; the charge counts no call, only usage "
        f"events that name it.{meant}"
    )


def _unpaid(plan: Plan) -> Iterator[str]:
    """What a fee includes is for the time held by what lies beyond it being paid; here nothing beyond has a price."""
    fee = any(amount is not None for amount in (plan.monthly, plan.yearly, plan.minimum))
    ending = [charge for charge in plan.charges if charge.tiers and charge.tiers[-1].up_to is not None]
    if fee and any(charge.included or charge.tiers[0].price.amount == 0 for charge in ending):
        yield (
            f"plans.{plan.name}: calls end with those that are included, whole in every billing period: whoever takes "
            "it on the last day has all of them for a day's fee. Give a price beyond them (overage, a last tier "
            "without up_to) if that is not meant."
        )


def _unexplained(plans: Iterable[Plan], passes: int) -> Iterator[str]:
    """A trial gives calls away as well; who sells them hardly means to give away what costs many of them."""
    giving = [
        plan
        for plan in plans
        if (plan.charges or plan.monthly or plan.yearly) and all(each.meter != "explanations" for each in plan.charges)
    ]
    for prepaid, remedy in (
        (False, "Add a charge over 'explanations' if that is not meant."),
        (True, "A prepaid plan charges calls alone: sell to those who want explanations on another plan."),
    ):
        if names := [f"plans.{plan.name}" for plan in giving if plan.prepaid == prepaid]:
            yield (
                f"{', '.join(names)}: explanations cost nothing, and each takes {passes} passes of the model beyond "
                f"its answer's own. {remedy}"
            )


def _uncounted(plan: Plan) -> Iterator[str]:
    for meter in dict.fromkeys(charge.meter for charge in plan.charges):
        fits = [charge.fits for charge in plan.charges if charge.meter == meter]
        states = {each.state for each in fits if each == Fits(state=each.state)}
        whole = None in states or (meter in CALL_METERS and states >= set(CALL_STATES))
        if not whole:
            yield (
                f"plans.{plan.name}: every charge over {meter!r} asks for a model, a variant or a state; usage that "
                "fits none costs nothing. Add a charge without them at the end if that is not meant."
            )
