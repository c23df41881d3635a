"""An archive onto the shelf: the signature first, then every byte, then the release appears, whole."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from modelmint.kit.files import settle
from modelmint.releases.archive.envelope import unseal
from modelmint.releases.archive.layout import BLOCK, END, LARGEST_SEAL, SEAL, header, padding, total
from modelmint.releases.archive.types import Entry, Sealed
from modelmint.releases.bundle import Release
from modelmint.releases.errors import ArchiveNotFound, BrokenArchive, DamagedRelease, NotAnArchive
from modelmint.releases.manifest import MANIFEST, STATEMENTS, parse_manifest, release_id
from modelmint.releases.shelf import Shelf
from modelmint.releases.trust import TrustStore
from modelmint.releases.verify import verify

#: Where archives are unpacked, on the shelf's own disk; whatever lies there was left by an import that was killed.
INCOMING = ".incoming"
_CHUNK = 2**20


def read_seal(path: Path) -> Sealed:
    """What the archive at ``path`` says that it holds, and who says so; the files themselves are not read.

    Raises ``ArchiveNotFound``, ``NotAnArchive``, ``BrokenArchive``, ``NewerSchema``, ``UnsafePath``.
    """
    with _opened(path) as file:
        return _read_seal(file)


def import_archive(
    path: Path, shelf: Shelf, trust: TrustStore, *, trusting: str | None = None
) -> tuple[Release, Sealed]:
    """Take the archive at ``path`` in: signature, signer, every file; on the shelf only when all of it is sound.

    ``trusting`` is the fingerprint of a signer that is trusted from now on, once this archive proved sound.
    No more is written than the signed list of contents says, and that is the size of the file itself. A release
    that is on the shelf already gains the statements that it lacks. What a killed import left is cleared away by
    the next. Raises what ``read_seal`` does, ``UnknownSigner``, ``WrongFingerprint``, ``DamagedRelease``.
    """
    with _opened(path) as file:
        sealed = _read_seal(file)
        trust.check(sealed.fingerprint, sealed.contents.release, trusting)
        with _alone(shelf.root) as incoming:
            folder, final = incoming / sealed.contents.release, shelf.root / sealed.contents.release
            folder.mkdir()
            _unpack(file, sealed, folder)
            damage = verify(folder)
            if damage:
                raise DamagedRelease(sealed.contents.release, damage)
            if final.exists():
                shelf.add(folder)
            else:
                settle(folder, final)
    if trusting is not None:
        trust.trust(trusting, sealed.contents.venture.get("name", ""))
    return shelf.get(sealed.contents.release), sealed


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise ArchiveNotFound(f"expected a release archive, found nothing at {path}") from None
    except OSError as error:
        raise NotAnArchive(f"expected a release archive at {path}, which cannot be read: {error.strerror}") from None
    with file:
        yield file


def _first(block: bytes) -> int | None:
    """Size of the seal that this header block announces; None where it is no header of ours."""
    try:
        size = tarfile.TarInfo.frombuf(block, "utf-8", "strict").size
    except (tarfile.HeaderError, UnicodeDecodeError, ValueError):
        return None
    return size if 0 <= size <= LARGEST_SEAL and block == header(SEAL, size) else None


def _read_seal(file: BinaryIO) -> Sealed:
    size = _first(file.read(BLOCK))
    if size is None:
        raise NotAnArchive(
            f"{file.name} is not a release archive: it does not begin with {SEAL}. Archives are made by "
            "`modelmint releases export`; one that was packed again by another program is not read"
        )
    envelope = file.read(size)
    if len(envelope) < size or file.read(len(padding(size))) != padding(size):
        raise BrokenArchive(f"{file.name} ends in its signature; copy it again")
    sealed = unseal(envelope)
    expected, found = total(size, sealed.contents.entries), os.fstat(file.fileno()).st_size
    if found != expected:
        what = "is cut off" if found < expected else "has something behind its end"
        raise BrokenArchive(f"{file.name} {what}: expected {expected:,} bytes, found {found:,}; copy it again")
    return sealed


@contextmanager
def _alone(root: Path) -> Iterator[Path]:
    """An empty folder to unpack into, on the disk of the shelf; one import at a time."""
    root.mkdir(parents=True, exist_ok=True)
    incoming = root / INCOMING
    with (root / f"{INCOMING}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go of it however the process ends
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir()
        try:
            yield incoming
        finally:
            shutil.rmtree(incoming, ignore_errors=True)


def _unpack(file: BinaryIO, sealed: Sealed, folder: Path) -> None:
    contents = sealed.contents
    if contents.entries[0].size_bytes > LARGEST_SEAL:
        raise BrokenArchive(f"the archive's {MANIFEST} is larger than any; do not use it")
    for entry in contents.entries:
        if file.read(len(wanted := header(entry.name, entry.size_bytes))) != wanted:
            raise BrokenArchive(f"the header of {entry.name} is not what the signature covers; copy the archive again")
        _lay(file, entry, folder / entry.name)
        if file.read(len(filling := padding(entry.size_bytes))) != filling:
            raise BrokenArchive(f"there is something hidden behind {entry.name}; do not use this archive")
        if entry.name == MANIFEST:
            _check_manifest(folder / MANIFEST, sealed)
    if file.read() != END:
        raise BrokenArchive("the archive does not end as it must; copy it again")


def _lay(file: BinaryIO, entry: Entry, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), entry.size_bytes
    with target.open("xb") as into:
        while left and (chunk := file.read(min(_CHUNK, left))):
            digest.update(chunk)
            into.write(chunk)
            left -= len(chunk)
    if left or digest.hexdigest() != entry.sha256:
        raise BrokenArchive(f"{entry.name} is not what the signature covers; copy the archive again")


def _check_manifest(path: Path, sealed: Sealed) -> None:
    """Before anything else is unpacked: the manifest is that of the release, and pins just these files."""
    contents = sealed.contents
    manifest = parse_manifest(path.read_bytes())
    if release_id(manifest) != contents.release:
        raise BrokenArchive(
            f"the manifest in the archive is not that of release {contents.release[:12]}; do not use it"
        )
    listed = {entry.name: entry.sha256 for entry in contents.entries if not entry.name.startswith(f"{STATEMENTS}/")}
    if listed.keys() - {MANIFEST} != manifest.files.keys():
        other = sorted((listed.keys() - {MANIFEST}) ^ manifest.files.keys())
        raise BrokenArchive(f"the archive's list and its manifest differ in {', '.join(other[:5])}; do not use it")
