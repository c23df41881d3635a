"""Plans beside what is served: which names that charges ask for nothing here has."""

from __future__ import annotations

from collections.abc import Iterable

from modelmint.commerce.plan_hints import hints
from modelmint.commerce.types import Deployment, Plan
from modelmint.releases.shelf import Shelf
from modelmint.venture.load import LoadedVenture

#: Variant of a model for which the venture file names none.
_ONLY = "default"


def plan_hints(
    plans: Iterable[Plan], venture: LoadedVenture | None, shelf: Shelf, deployments: Iterable[Deployment]
) -> list[str]:
    """See ``commerce.plan_hints``. A release that cannot be opened adds no name."""
    models, variants = _stated(venture)
    releases = {release.id: release.manifest.models for release in shelf.survey()[0]}
    for row in deployments:
        models.add(row.name)
        released = releases.get(row.release, {}).get(row.model)
        variants |= {row.variant} if row.variant is not None else set(released.variants if released else ())
    return hints(plans, models, variants)


def _stated(venture: LoadedVenture | None) -> tuple[set[str], set[str]]:
    """Names of the venture file."""
    if venture is None:
        return set(), set()
    file = venture.file
    sections = dict(file.models) or ({} if file.model is None else {file.venture.name: file.model})
    variants = {name for section in sections.values() for name in (section.variants or (_ONLY,))}
    return set(sections), variants
