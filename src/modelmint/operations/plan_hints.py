"""Plans beside what is served: which names that charges ask for nothing here has, and what is given away."""

from __future__ import annotations

from collections.abc import Iterable

from modelmint.commerce.plan_hints import hints
from modelmint.commerce.types import Deployment, Plan
from modelmint.releases.bundle import Release
from modelmint.releases.shelf import Shelf
from modelmint.venture.load import LoadedVenture

#: Variant of a model for which the venture file names none.
_ONLY = "default"


def plan_hints(
    plans: Iterable[Plan], venture: LoadedVenture | None, shelf: Shelf, deployments: Iterable[Deployment]
) -> list[str]:
    """See ``commerce.plan_hints``. A release that cannot be opened adds no name."""
    models, variants = _stated(venture)
    releases = {release.id: release for release in shelf.survey()[0]}
    passes: list[int] = []
    for row in deployments:
        models.add(row.name)
        release = releases.get(row.release)
        released = release.manifest.models.get(row.model) if release else None
        variants |= {row.variant} if row.variant is not None else set(released.variants if released else ())
        passes += _passes(release, row.model) if release else []
    return hints(plans, models, variants, max(passes, default=None))


def _passes(release: Release, model: str) -> list[int]:
    """What the newest statement says that an explanation takes; a foreign one may say anything."""
    statement = release.newest("explanations")
    said = None if statement is None else statement.of(model).get("passes")
    return [said] if isinstance(said, int) else []


def _stated(venture: LoadedVenture | None) -> tuple[set[str], set[str]]:
    """Names of the venture file."""
    if venture is None:
        return set(), set()
    file = venture.file
    sections = dict(file.models) or ({} if file.model is None else {file.venture.name: file.model})
    variants = {name for section in sections.values() for name in (section.variants or (_ONLY,))}
    return set(sections), variants
