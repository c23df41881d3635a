"""Why a compressed candidate is turned down: it drifted from its parent, or it is no cheaper."""

from __future__ import annotations

from modelmint.evaluation.parity import Parity
from modelmint.venture.sections.compress import CompressSection
from modelmint.workshop.types import Candidate


def against_parent(parent: Candidate, child: Candidate, parity: Parity | None, limits: CompressSection) -> str | None:
    """Why the child does not pass beside its parent: parity first, then price; None where it does.

    A graph that a recipe made has to show both; the float32 graph is held to parity only, where it is known.
    """
    if parity is None:
        return "its parent could not be scored, so neither parity nor saving is known" if child.recipe else None
    return drifted(parity, limits) or (dearer(parent, child) if child.recipe else None)


def drifted(parity: Parity, limits: CompressSection) -> str | None:
    """The reason where ``parity`` with the parent is outside the venture's limits; NaN is outside."""
    if not parity.mean_difference <= limits.max_probability_difference:
        return (
            f"parity: probabilities differ from the parent's by {parity.mean_difference:.3g} on average, "
            f"at most {limits.max_probability_difference:g} is allowed"
        )
    if not parity.flip_share <= limits.max_label_flips:
        return (
            f"parity: {parity.flips} of {parity.rows} answers on validation flipped, "
            f"at most {limits.max_label_flips:.1%} is allowed"
        )
    return None


def dearer(parent: Candidate, child: Candidate) -> str | None:
    """A compressed candidate ships only if it was timed cheaper, beyond the noise of the measurement."""
    if parent.timing is None or child.timing is None:
        return "not timed, so not known to be cheaper"
    before, after = parent.timing.cpu_ms, child.timing.cpu_ms
    if after.high < before.low:
        return None
    word = "dearer" if after.value > before.value else "not measurably cheaper"
    return (
        f"{word} than {parent.key}: {after.value:.4g} ms CPU a call [{after.low:.4g}, {after.high:.4g}] against "
        f"{before.value:.4g} [{before.low:.4g}, {before.high:.4g}]"
    )
