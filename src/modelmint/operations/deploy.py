"""Point public names at releases. The newest row of a name is what is served; going back is one more row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelmint.commerce.repository import Books
from modelmint.commerce.types import Deployment
from modelmint.kit.errors import ModelmintError
from modelmint.operations.errors import BadModelName, NothingBefore
from modelmint.releases.bundle import Release
from modelmint.releases.errors import DamagedRelease
from modelmint.releases.shelf import Shelf
from modelmint.releases.verify import verify
from modelmint.serving.host import ModelHost
from modelmint.serving.types import Target
from modelmint.venture.schema import NAME


def deploy(
    books: Books,
    shelf: Shelf,
    wanted: str,
    *,
    name: str | None = None,
    model: str | None = None,
    variant: str | None = None,
) -> list[Deployment]:
    """Serve release ``wanted`` (id or unique prefix) from now on; running servers notice within a second.

    Without ``model`` every model of the release is deployed, each under its own name; ``name`` gives another
    public name to one model. The release is verified first. Raises ``ReleaseNotFound``, ``AmbiguousRelease``,
    ``UnknownModel``, ``BadModelName``, ``DamagedRelease``.
    """
    release = shelf.get(wanted)
    chosen = [model] if model is not None else sorted(release.manifest.models)
    if name is not None and len(chosen) > 1:
        release.model(None)  # raises: several models, and none was named
    for one in chosen:
        release.variant(one, variant)
        check_name(name or one)
    sound(release)
    return [books.deploy(name or one, release.id, one, variant) for one in chosen]


def check_name(name: str) -> None:
    """Raises ``BadModelName`` unless ``name`` can stand in a web address, as a venture file's model names must."""
    if not NAME.fullmatch(name):
        raise BadModelName(
            f"expected a public name of 1 to 63 lower-case letters, digits, '-' and '_' that begins with a letter or "
            f"digit, found {name[:80]!r}"
        )


def rollback(books: Books, shelf: Shelf, name: str) -> Deployment:
    """Deploy what ``name`` served before; raises ``NothingBefore`` where there is no such thing."""
    history = books.deployment_history(name)
    if not history:
        deployed = ", ".join(sorted(row.name for row in books.deployments())) or "nothing yet"
        raise NothingBefore(
            f"{name[:80]!r} was never deployed, so there is nothing to go back to; deployed: {deployed}"
        )
    ordered = sorted(history, key=lambda row: row.at)
    now = ordered[-1]
    for row in reversed(ordered[:-1]):
        if (row.release, row.model, row.variant) != (now.release, now.model, now.variant):
            sound(shelf.get(row.release))
            return books.deploy(name, row.release, row.model, row.variant)
    raise NothingBefore(
        f"{name!r} has only ever served release {now.release[:12]}, so there is nothing to go back to; deploy another "
        "release with: modelmint deploy RELEASE"
    )


def ensure_deployed(books: Books, shelf: Shelf) -> list[Deployment]:
    """On a workspace where nothing is deployed yet, deploy the newest release; what is new."""
    if books.deployments():
        return []
    releases = shelf.list()
    return deploy(books, shelf, releases[0].id) if releases else []


def sound(release: Release) -> None:
    """Raises ``DamagedRelease`` naming every file that changed."""
    damage = verify(release.path)
    if damage:
        raise DamagedRelease(release.id, damage)


def targets(books: Books) -> tuple[Target, ...]:
    """What the books say is to be served now, by name."""
    rows = sorted(books.deployments(), key=lambda row: row.name)
    return tuple(Target(row.name, row.release, row.model, row.variant) for row in rows)


class Follower:
    """Keeps a host on what the books say."""

    def __init__(self, books: Books, host: ModelHost) -> None:
        self._books, self._host = books, host
        self._served: Sequence[Target] | None = None
        #: Name -> why its newest deployment is not served; empty when all is well.
        self.failures: Mapping[str, ModelmintError] = {}

    def follow(self) -> bool:
        """Read the deployments, swap where they changed; whether something changed. Blocks while loading."""
        wanted = targets(self._books)
        if wanted == self._served and not self.failures:
            return False
        self.failures = self._host.point(wanted)
        self._served = wanted
        return True
