"""The choice: the greatest monthly value inside the gates; ties go to accuracy, then to bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from modelmint.evaluation.gates import blocking
from modelmint.evaluation.types import GateResult
from modelmint.kit.arrays import AnyArray
from modelmint.kit.estimate import Estimate
from modelmint.kit.money import exponent
from modelmint.market.types import CostStatement
from modelmint.workshop.types import Candidate, Choice

_RESAMPLES = 2000


@dataclass(frozen=True)
class Option:
    """A candidate that may be released, priced, with the gates it would meet by its validation scores."""

    candidate: Candidate
    cost: CostStatement
    gates: tuple[GateResult, ...]
    #: How often each validation row is answered wrongly, ``[rows]`` in [0, 1]; the same rows for every option.
    wrong: AnyArray
    #: How often its label is wrong, those that are left open counted too, ``[rows]``; accuracy is about these.
    missed: AnyArray

    @property
    def key(self) -> str:
        """The candidate's key."""
        return self.candidate.key

    @property
    def value(self) -> Decimal | None:
        """Monthly value in major units, where it is computable."""
        amount = self.cost.monthly_value
        return None if amount is None else Decimal(amount.value)


def choose(options: Sequence[Option], error_price: Decimal) -> Choice:
    """Pick one of ``options`` (at least one). ``error_price`` is what the month's calls would cost if all were wrong.

    Where the value of every option is known the greatest wins; otherwise the cheapest in CPU time. Two options tie
    where the 95 % interval of their difference, paired over the same validation rows, holds 0 (CPU times: where
    their intervals overlap); a tie goes to accuracy (by the same test), then to fewer bytes, then to the
    lower CPU time. Where no option is inside the gates, those that fail the fewest are compared,
    so that the refusal speaks of the nearest one.
    """
    failed = {option.key: len(blocking(option.gates)) for option in options}
    fewest = min(failed.values())
    pool = [option for option in options if failed[option.key] == fewest]
    where = "inside the gates" if fewest == 0 else f"among those that fail only {fewest} of the gates on validation"
    # One without a value (its p99 limit was waived, so it has no rate) gives way to those that have one.
    pool = [option for option in pool if option.value is not None] or pool
    valued = pool[0].value is not None
    best = max(pool, key=_worth) if valued else min(pool, key=_cpu)
    ties = [option for option in pool if _ties(best, option, error_price, valued)]
    most = max(ties, key=_accuracy)
    level = [option for option in ties if _same_accuracy(most, option)]
    fewest_bytes = min(option.candidate.size_bytes or 0 for option in level)
    smallest = [option for option in level if (option.candidate.size_bytes or 0) == fewest_bytes]
    chosen = min(smallest, key=_cpu)
    return Choice(chosen.key, _why(chosen, pool, ties, level, where, valued))


def _worth(option: Option) -> tuple[Decimal, float]:
    return option.value or Decimal(0), -_cpu(option)


def _cpu(option: Option) -> float:
    timing = option.candidate.timing
    return timing.cpu_ms.value if timing else float("inf")


def _accuracy(option: Option) -> float:
    return 1.0 - float(np.mean(option.missed)) if len(option.missed) else 0.0


def _ties(best: Option, other: Option, error_price: Decimal, valued: bool) -> bool:
    if best is other:
        return True
    if not valued:
        one, two = best.candidate.timing, other.candidate.timing
        return bool(one and two and two.cpu_ms.low <= one.cpu_ms.high)
    more = paired_difference(other.wrong, best.wrong)
    gap = (best.value or Decimal(0)) - (other.value or Decimal(0))
    least = gap - error_price * (Decimal(repr(more.value)) - Decimal(repr(more.low)))
    # Values are in whole coins, so a difference below one is none.
    return least < Decimal(1).scaleb(-exponent(best.cost.currency or "USD"))


def _same_accuracy(best: Option, other: Option) -> bool:
    return paired_difference(other.missed, best.missed).low <= 0


def paired_difference(one: AnyArray, two: AnyArray) -> Estimate:
    """Mean of ``one - two`` over the same rows with the percentile bootstrap's 95 % interval.

    Only the rows that differ matter: how often each of them is drawn is multinomial, all the others together
    being one more outcome.
    """
    n = len(one)
    difference = np.asarray(one, dtype=np.float64) - np.asarray(two, dtype=np.float64)
    moved = difference[difference != 0]
    if n == 0 or len(moved) == 0:
        return Estimate(0.0, 0.0, 0.0, n)
    chances = np.append(np.full(len(moved), 1 / n), max(0.0, 1 - len(moved) / n))
    draws = np.random.default_rng(0).multinomial(n, chances, size=_RESAMPLES)
    low, high = np.quantile(draws[:, :-1] @ moved / n, (0.025, 0.975))
    return Estimate(float(difference.mean()), float(low), float(high), n)


def _why(
    chosen: Option,
    pool: Sequence[Option],
    ties: Sequence[Option],
    level: Sequence[Option],
    where: str,
    valued: bool,
) -> str:
    """One sentence why this one and not its neighbours."""
    subject = f"{chosen.key} is chosen"
    if len(pool) == 1:
        return f"{subject}: it is the only candidate {where}."
    measure = "monthly value" if valued else "CPU time a call"
    if len(ties) == 1:
        word = "highest" if valued else "lowest"
        return f"{subject}: it has the {word} {measure} {where}{_margin(chosen, pool, valued)}."
    others = ", ".join(option.key for option in ties if option is not chosen)
    tie = f"its {measure} ties with {others} within the interval"
    if len(level) == 1:
        return f"{subject}: {tie}, and it is the most accurate on validation."
    rivals = [option for option in level if option.candidate.size_bytes == chosen.candidate.size_bytes]
    if len(rivals) == 1:
        return f"{subject}: {tie}, accuracy too, and it has the fewest bytes ({chosen.candidate.size_bytes:,})."
    rest = ", ".join(option.key for option in rivals if option is not chosen)
    return (
        f"{subject}: {tie}, accuracy too; of those with the fewest bytes ({chosen.candidate.size_bytes:,}) it takes "
        f"less CPU time than {rest}."
    )


def _margin(chosen: Option, pool: Sequence[Option], valued: bool) -> str:
    others = [option for option in pool if option is not chosen]
    if valued:
        second = max(others, key=_worth)
        gap = (chosen.value or Decimal(0)) - (second.value or Decimal(0))
        return f", {gap:,} {chosen.cost.currency or ''} more than {second.key}".replace("  ", " ")
    second = min(others, key=_cpu)
    return f", {_cpu(chosen):.4g} ms against {_cpu(second):.4g} ms of {second.key}"
