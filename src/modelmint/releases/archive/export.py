"""A release out of the workspace, as one signed file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

from modelmint.kit.digest import digest_file
from modelmint.kit.files import atomic_file
from modelmint.releases.archive.envelope import seal
from modelmint.releases.archive.layout import END, SEAL, header, padding
from modelmint.releases.archive.types import Contents, Entry, Sealed
from modelmint.releases.bundle import Release
from modelmint.releases.errors import DamagedRelease
from modelmint.releases.manifest import MANIFEST, STATEMENTS
from modelmint.releases.sign import fingerprint, open_key
from modelmint.releases.types import Damage
from modelmint.releases.verify import verify

_CHUNK = 2**20


def export_release(release: Release, target: Path, keyfile: Path, *, statements: bool = True) -> Sealed:
    """Write ``release`` to ``target``, signed with the key in ``keyfile`` (made where there is none).

    The file holds the bundle and, unless ``statements`` is False, the statements beside it; nothing else of the
    workspace. The same release, statements and key give the same bytes. Everything is hashed before and while it
    is copied; raises ``DamagedRelease``. A crash leaves no ``target``, or the one that was there.
    """
    damage = verify(release.path)
    if damage:
        raise DamagedRelease(release.id, damage)
    names = [MANIFEST, *sorted(release.manifest.files)]
    if statements:
        names += sorted(f"{STATEMENTS}/{file.name}" for file in (release.path / STATEMENTS).glob("*.json"))
    contents = Contents(release.id, release.manifest.venture, tuple(_entry(release.path, name) for name in names))
    key = open_key(keyfile)
    envelope = seal(contents, key)
    with atomic_file(target) as file:
        file.write(header(SEAL, len(envelope)) + envelope + padding(len(envelope)))
        for entry in contents.entries:
            file.write(header(entry.name, entry.size_bytes))
            _copy(release, entry, file)
            file.write(padding(entry.size_bytes))
        file.write(END)
    return Sealed(contents, key.public, fingerprint(key.public))


def _entry(folder: Path, name: str) -> Entry:
    path = folder / name
    return Entry(name, path.stat().st_size, digest_file(path))


def _copy(release: Release, entry: Entry, into: BinaryIO) -> None:
    """Raises ``DamagedRelease`` where the file changes under our hands."""
    digest, left = hashlib.sha256(), entry.size_bytes
    with (release.path / entry.name).open("rb") as source:
        while chunk := source.read(min(_CHUNK, left)):
            digest.update(chunk)
            into.write(chunk)
            left -= len(chunk)
    if left or digest.hexdigest() != entry.sha256:
        raise DamagedRelease(release.id, [Damage(entry.name, "changed", "it changed while it was exported")])
