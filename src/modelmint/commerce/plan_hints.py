"""What a plan says that can hardly be meant, because usage would cost nothing. Hints, never refusals."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from modelmint.commerce.types import Fits, Plan
from modelmint.venture.sections.charges import CALL_METERS, CALL_STATES


def hints(plans: Iterable[Plan], models: Collection[str], variants: Collection[str]) -> list[str]:
    """Names that charges ask for and nothing here has, and meters of which some usage fits no charge.

    ``models`` and ``variants`` are the names known; none known: nothing to compare with.
    """
    found: list[str] = []
    for plan in plans:
        for position, charge in enumerate(plan.charges):
            for key, name, known in (("model", charge.fits.model, models), ("variant", charge.fits.variant, variants)):
                if name is not None and known and name not in known:
                    found.append(f"plans.{plan.name}.charges.{position}.{key}: {_unknown(key, name, known)}")
        found += _uncounted(plan)
    return found


def _unknown(key: str, name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, sorted(known), 1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    return (
        f"no deployment and no table of the venture file has the {key} {name!r}; the charge counts no call, only usage "
        f"events that name it.{meant}"
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
