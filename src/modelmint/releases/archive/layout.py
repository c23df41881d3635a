"""The bytes of an archive: plain tar, nothing compressed, one spelling only (ADR 0020).

Every header is made from the signed list of contents, with one owner, one mode and no time. So the reader compares
instead of believing: there is no entry type, link, name or length in the file that it takes from there.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable

from modelmint.releases.archive.types import Entry

#: The first member; what follows is listed in it.
SEAL = "modelmint-release.dsse.json"
#: The largest seal, and the largest manifest, that is read: room for some 20,000 files.
LARGEST_SEAL = 8 * 2**20
BLOCK = tarfile.BLOCKSIZE
#: Two empty blocks end an archive.
END = bytes(2 * BLOCK)


def header(name: str, size: int) -> bytes:
    """The header blocks of one member."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o644, 0
    return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "strict")


def padding(size: int) -> bytes:
    """What fills the last block of ``size`` bytes."""
    return bytes(-size % BLOCK)


def total(seal_size: int, entries: Iterable[Entry]) -> int:
    """Size in bytes of the whole archive."""
    members = [(SEAL, seal_size), *((entry.name, entry.size_bytes) for entry in entries)]
    return sum(len(header(name, size)) + size + len(padding(size)) for name, size in members) + len(END)
