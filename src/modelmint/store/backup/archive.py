"""The archive: a zip with one file of JSON lines for each table, and ``manifest.json`` with its digests.

Values are what both databases hold: numbers, texts, null, and bytes as ``{"base64": ...}``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmint.kit.canonical import canonical_json
from modelmint.store.errors import BackupCorrupted

FORMAT = 1
MANIFEST = "manifest.json"
_BROKEN = (
    OSError, ValueError, TypeError, KeyError, EOFError, RuntimeError, NotImplementedError, zlib.error,
    zipfile.BadZipFile, zipfile.LargeZipFile,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself."""

    venture: str
    #: Schema of the books it was made of.
    revision: str
    made_at: str
    #: Table -> (rows, sha256 of its lines).
    tables: Mapping[str, tuple[int, str]]
    entries: int
    #: Hash of the last ledger entry.
    head: str
    #: What ``ledger verify`` had found in the books when they were backed up; empty for sound ones.
    findings: tuple[str, ...]

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(rows for rows, _ in self.tables.values())


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """The last member of the archive."""
    body = {
        "format": FORMAT,
        "venture": manifest.venture,
        "revision": manifest.revision,
        "made_at": manifest.made_at,
        "tables": {name: {"rows": rows, "sha256": digest} for name, (rows, digest) in manifest.tables.items()},
        "ledger": {"entries": manifest.entries, "head": manifest.head, "findings": list(manifest.findings)},
    }
    archive.writestr(MANIFEST, canonical_json(body))


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive for reading; whatever is wrong with it leaves as ``BackupCorrupted``."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except FileNotFoundError as error:
        raise BackupCorrupted(f"there is no file {path}") from error
    except _BROKEN as error:
        raise BackupCorrupted(f"{path} is no whole backup of books: {error}. Nothing was restored") from error


def read_manifest(path: Path) -> Manifest:
    """What the archive at ``path`` says of itself; raises ``BackupCorrupted``."""
    with opened(path) as archive:
        found = json.loads(archive.read(MANIFEST))
        if found["format"] != FORMAT:
            raise ValueError(f"expected format {FORMAT}, found {found['format']!r}")
        ledger = found["ledger"]
        return Manifest(
            venture=found["venture"],
            revision=found["revision"],
            made_at=found["made_at"],
            tables={name: (told["rows"], told["sha256"]) for name, told in found["tables"].items()},
            entries=ledger["entries"],
            head=ledger["head"],
            findings=tuple(ledger["findings"]),
        )


def check(path: Path, manifest: Manifest) -> None:
    """Every table is there, whole and unchanged, and nothing else; raises ``BackupCorrupted`` with all that is not."""
    problems = []
    with opened(path) as archive:
        members = sorted(archive.namelist())
        wanted = sorted([MANIFEST, *(member(name) for name in manifest.tables)])
        if members != wanted:
            problems.append(f"expected the members {', '.join(wanted)}, found {', '.join(members)}")
        else:
            for name, told in manifest.tables.items():
                found = _digest(archive, name)
                if found != told:
                    problems.append(
                        f"{name}: expected {told[0]} rows of sha256 {told[1]}, found {found[0]}, {found[1]}"
                    )
    if problems:
        raise BackupCorrupted(f"{path} is not what was backed up. Nothing was restored", problems=problems)


def _digest(archive: zipfile.ZipFile, table: str) -> tuple[int, str]:
    digest, rows = hashlib.sha256(), 0
    with archive.open(member(table)) as lines:
        for line in lines:
            digest.update(line)
            rows += 1
    return rows, digest.hexdigest()


def member(table: str) -> str:
    """Where a table lies in the archive."""
    return f"tables/{table}.jsonl"


def rows_in(archive: zipfile.ZipFile, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a table, one at a time."""
    with archive.open(member(table)) as lines:
        for line in lines:
            yield {name: _value(value) for name, value in json.loads(line).items()}


def line_of(row: Mapping[str, Any]) -> bytes:
    """A row as its line."""
    return canonical_json({name: _plain(value) for name, value in row.items()}) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, memoryview)):
        return {"base64": base64.b64encode(bytes(value)).decode()}
    return value


def _value(value: Any) -> Any:
    return base64.b64decode(value["base64"], validate=True) if isinstance(value, dict) else value
