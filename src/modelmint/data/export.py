"""A dataset version as a plain folder: pictures by split and label, ``rows.csv``, and ``croissant.json`` for tools."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from modelmint.data.croissant import About, exported_croissant
from modelmint.data.errors import FolderNotEmpty
from modelmint.data.types import Row, Split
from modelmint.data.version import DatasetVersion
from modelmint.kit.canonical import pretty_json
from modelmint.kit.digest import digest_bytes
from modelmint.kit.files import atomic_folder
from modelmint.kit.progress import Progress

ROWS, CROISSANT = "rows.csv", "croissant.json"
#: First bytes of a format -> its usual ending; another format keeps its bytes under ``img``.
_ENDINGS = (
    (b"\x89PNG", "png"), (b"\xff\xd8\xff", "jpg"), (b"RIFF", "webp"), (b"BM", "bmp"), (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"), (b"GIF8", "gif"),
)  # fmt: skip
_PLAIN = re.compile(r"[\w][\w .+-]{0,79}", re.ASCII)
_COLUMNS = ("file", "split", "label", "name", "group", "sha256")


def export(
    dataset: DatasetVersion,
    about: About,
    test: Sequence[bytes] | None,
    into: Path,
    progress: Progress,
) -> dict[str, int]:
    """Write the folder ``into``, all or nothing; how many pictures of each split it holds.

    ``test`` are the payloads of the test split, which only the judge's door gives out; None leaves the split out.
    Pictures keep their bytes. Raises ``FolderNotEmpty``.
    """
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise FolderNotEmpty(f"expected no folder or an empty one at {into}; name another, or clear it first")
    parts: dict[Split, Sequence[bytes]] = {split: dataset.payloads(split) for split in ("train", "val")}
    if test is not None:
        parts["test"] = test
    if into.exists():
        into.rmdir()
    lines: list[tuple[str, ...]] = []
    with atomic_folder(into) as folder, progress.bar("writing pictures", sum(map(len, parts.values()))) as bar:
        for split, payloads in parts.items():
            for row, payload in zip(dataset.rows(split), payloads, strict=True):
                lines.append(_write(folder, dataset, row, payload, len(lines)))
                bar.advance()
        table = _table(lines).encode()
        (folder / ROWS).write_bytes(table)
        endings = sorted({line[0].rpartition(".")[2] for line in lines})
        told = exported_croissant(dataset, about, digest_bytes(table), endings, list(parts))
        (folder / CROISSANT).write_text(pretty_json(told), encoding="utf-8")
    return {split: len(payloads) for split, payloads in parts.items()}


def _write(folder: Path, dataset: DatasetVersion, row: Row, payload: bytes, number: int) -> tuple[str, ...]:
    label = dataset.labels[row.label]
    file = f"{number:06}.{_ending(payload)}"
    place = folder / row.split / (label if _PLAIN.fullmatch(label) else f"label-{row.label}")
    place.mkdir(parents=True, exist_ok=True)
    (place / file).write_bytes(payload)
    return file, row.split, label, row.name, row.group or "", row.digest


def _ending(payload: bytes) -> str:
    return next((ending for magic, ending in _ENDINGS if payload.startswith(magic)), "img")


def _table(lines: Sequence[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(lines)
    return buffer.getvalue()
