"""A folder per class, with or without train / val / test folders above."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from modelmint.data.errors import UnreadableSource
from modelmint.data.readers.files import files_below, folders_in, is_litter, loader, natural, shown
from modelmint.data.types import Finding, RawData, RawRow, Source, Split

#: Folder names, lower case, that mean a split.
SPLIT_NAMES: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "dev": "val",
    "test": "test",
    "testing": "test",
}


class Folders:
    """Pictures at any depth below a folder that carries their label's name."""

    reads = "a folder per class, with or without train/val/test folders above"

    def recognises(self, source: Source) -> bool:
        return source.path.is_dir()

    def files(self, source: Source) -> Sequence[Path]:
        return list(files_below(source.path))

    def read(self, source: Source) -> RawData:
        if not source.path.is_dir():
            raise UnreadableSource(f"expected a folder with one folder per class, found the file {source.path}")
        tops, findings = _split_folders(source.path)
        labels: set[str] = set()
        rows: list[RawRow] = []
        for top, split in tops:
            findings += _strays(top, source.path)
            for folder in folders_in(top):
                if folder.is_symlink():
                    findings.append(_link(folder, source.path))
                    continue
                labels.add(shown(folder.name))
                rows += _rows(folder, split, source.path)
        if not labels:
            raise UnreadableSource(
                f"expected {self.reads} in {source.path}, found no class folder. "
                "Do: put each label's pictures in a folder that carries the label's name",
                problems=[f"{finding.name}: {finding.message}" for finding in findings],
            )
        return RawData(tuple(rows), tuple(sorted(labels, key=natural)), {"format": "folders"}, tuple(findings))


def _split_folders(path: Path) -> tuple[list[tuple[Path, Split | None]], list[Finding]]:
    """The folders that hold class folders, with the split each stands for.

    A link is never followed, and never changes what the folders beside it mean.
    """
    children = sorted(child for child in path.iterdir() if not child.is_file())
    named = [(child, SPLIT_NAMES[child.name.lower()]) for child in children if child.name.lower() in SPLIT_NAMES]
    if not any(split == "train" for _, split in named):
        return [(path, None)], []
    unused = [child for child in folders_in(path) if child.name.lower() not in SPLIT_NAMES]
    message = "a folder beside train, val and test that names no split; its files were not used"
    findings = [Finding("not_used", shown(child.name), message, "skipped") for child in unused]
    findings += [_link(child, path) for child, _ in named if child.is_symlink()]
    return [(child, split) for child, split in named if not child.is_symlink()], findings


def _rows(folder: Path, split: Split | None, base: Path) -> Iterator[RawRow]:
    for file in files_below(folder):
        yield RawRow(shown(file.relative_to(base).as_posix()), shown(folder.name), split, loader(file, base))


def _strays(top: Path, base: Path) -> list[Finding]:
    message = "lies beside the class folders, so it has no label; move it into one"
    strays = sorted(p for p in top.iterdir() if not p.is_dir() and not is_litter(p.name))
    return [Finding("unknown_label", shown(p.relative_to(base).as_posix()), message, "skipped") for p in strays]


def _link(folder: Path, base: Path) -> Finding:
    message = f"is a link to {shown(str(folder.resolve()))}; links to folders are not followed, move the folder here"
    return Finding("outside_source", shown(folder.relative_to(base).as_posix()), message, "skipped")
