"""All releases of a workspace, by id."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from modelmint.kit.errors import Corrupted
from modelmint.kit.files import atomic_folder
from modelmint.releases.bundle import Release
from modelmint.releases.errors import AmbiguousRelease, DamagedRelease, ReleaseNotFound, UnreadableManifest
from modelmint.releases.manifest import MANIFEST, STATEMENTS, is_digest
from modelmint.releases.verify import verify


class Shelf:
    """A folder whose sub-folders are releases, each named by its id."""

    def __init__(self, root: Path) -> None:
        """``root`` need not exist yet."""
        self.root = root

    def ids(self) -> list[str]:
        """Ids on the shelf, sorted; nothing is opened."""
        if not self.root.is_dir():
            return []
        return sorted(item.name for item in self.root.iterdir() if is_digest(item.name) and item.is_dir())

    def list(self) -> Sequence[Release]:
        """All releases, the newest first (by their earliest statement).

        Raises a leaf of ``Corrupted`` that names the first one that cannot be opened.
        """
        releases, broken = self.survey()
        for error in broken:
            raise error
        return releases

    def survey(self) -> tuple[Sequence[Release], Sequence[Corrupted]]:
        """The releases that can be opened, the newest first, and what is wrong with each of the others."""
        releases, broken = [], []
        for name in self.ids():
            try:
                releases.append(self._open(name))
            except Corrupted as error:
                broken.append(error)
        return sorted(releases, key=_made_at, reverse=True), broken

    def _open(self, name: str) -> Release:
        """Raises a leaf of ``Corrupted`` that names the release."""
        try:
            return Release.open(self.root / name)
        except DamagedRelease:
            raise  # names it already
        except (Corrupted, ReleaseNotFound) as error:
            kind = type(error) if isinstance(error, Corrupted) else UnreadableManifest
            raise kind(
                f"release {name[:12]} on the shelf is broken: {error}. Its folder: {self.root / name}"
            ) from error

    def get(self, wanted: str) -> Release:
        """By id or unique prefix; raises ``ReleaseNotFound``, ``AmbiguousRelease``, or that it is broken."""
        ids = self.ids()
        fitting = [name for name in ids if wanted and name.startswith(wanted)]
        if not fitting:
            known = ", ".join(name[:12] for name in ids) or "none; `modelmint build` makes one"
            raise ReleaseNotFound(f"no release starts with {wanted[:80]!r}; on the shelf: {known}")
        if len(fitting) > 1:
            shown = ", ".join(name[:16] for name in fitting)
            raise AmbiguousRelease(f"{wanted!r} fits {len(fitting)} releases ({shown}); give more characters")
        return self._open(fitting[0])

    def add(self, folder: Path) -> Release:
        """Copy a release from elsewhere, after verifying it; raises ``DamagedRelease`` and copies nothing else.

        One that is on the shelf already is left alone; only statements it lacks are added.
        """
        incoming = Release.open(folder)
        damage = verify(folder)
        if damage:
            raise DamagedRelease(incoming.id, damage)
        names = [*incoming.manifest.files, MANIFEST]
        statements = [f"{STATEMENTS}/{file.name}" for file in sorted((folder / STATEMENTS).glob("*.json"))]
        final = self.root / incoming.id
        if not final.exists():
            with atomic_folder(final) as copy:
                for name in [*names, *statements]:
                    _copy(folder / name, copy / name)
        for name in statements:
            if not (final / name).exists():
                _copy(folder / name, final / name)
        kept = Release.open(final)
        damage = verify(final)
        if damage:
            raise DamagedRelease(kept.id, damage)
        return kept


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    write = target.with_name(f".{target.name}.tmp")
    write.write_bytes(source.read_bytes())
    write.replace(target)


def _made_at(release: Release) -> str:
    statements = release.statements()
    return statements[0].made_at if statements else ""
