"""The immutable bundle: written once, atomically; its name is the digest of its manifest."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmint.kit.digest import digest_bytes, digest_file
from modelmint.kit.files import atomic_folder
from modelmint.releases.errors import (
    DamagedRelease,
    IncompleteManifest,
    ReleaseNotFound,
    UnknownModel,
    UnreadableStatement,
    UnsafePath,
)
from modelmint.releases.manifest import (
    MANIFEST,
    STATEMENTS,
    is_digest,
    manifest_bytes,
    parse_manifest,
    release_id,
    safe_path,
)
from modelmint.releases.statement import read_statement, signed
from modelmint.releases.types import Damage, Manifest, ReleasedModel, Statement, Variant
from modelmint.tasks.types import ModelSpec


@dataclass(frozen=True)
class Release:
    """An opened release: content is read through it and never written."""

    path: Path
    manifest: Manifest
    id: str

    @classmethod
    def open(cls, path: Path) -> Release:
        """Read and check the manifest (files are hashed by ``verify``, and a graph when it is asked for).

        Raises ``ReleaseNotFound``, ``UnreadableManifest``, ``NewerSchema``, ``UnsafePath``, or
        ``DamagedRelease`` where the folder is named by an id that the manifest no longer has.
        """
        file = path / MANIFEST
        if file.is_symlink():
            raise UnsafePath(f"{file} is a symbolic link; a release holds plain files only")
        try:
            content = file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise ReleaseNotFound(f"expected a release folder with {MANIFEST}, found none at {path}") from None
        manifest = parse_manifest(content)
        found = release_id(manifest)
        if is_digest(path.name) and path.name != found:
            message = f"hashes to {found[:12]}, the folder is named {path.name[:12]}"
            raise DamagedRelease(path.name, [Damage(MANIFEST, "changed", message)])
        for name in manifest.files:
            _no_links(path, name)
        return cls(path, manifest, found)

    def model(self, name: str | None = None) -> ReleasedModel:
        """The model called ``name``, or the only one; raises ``UnknownModel``."""
        models = self.manifest.models
        if name is None and len(models) == 1:
            return next(iter(models.values()))
        if name is None or name not in models:
            asked = f"no model called {name!r}" if name else "several models, and none was named"
            raise UnknownModel(f"release {self.id[:12]} has {asked}; it holds: {', '.join(sorted(models))}")
        return models[name]

    def variant(self, model: str | None = None, variant: str | None = None) -> Variant:
        """A variant of a model, the default one where none is named; raises ``UnknownModel``."""
        released = self.model(model)
        wanted = variant or released.default
        if wanted not in released.variants:
            raise UnknownModel(
                f"release {self.id[:12]} has no variant {wanted!r}; it holds: {', '.join(sorted(released.variants))}"
            )
        return released.variants[wanted]

    def spec(self, model: str | None = None) -> ModelSpec:
        """What encode and decode need to know."""
        return self.model(model).spec

    def graph(self, model: str | None = None, variant: str | None = None) -> Path:
        """The graph's file, hashed before it is handed out; raises ``DamagedRelease`` where it changed."""
        return self.file(self.variant(model, variant).graph)

    def file(self, name: str) -> Path:
        """Any pinned file, hashed before it is handed out."""
        if name not in self.manifest.files:
            raise ReleaseNotFound(f"release {self.id[:12]} holds no file {name!r}")
        path = _no_links(self.path, name)
        if not path.is_file():
            raise DamagedRelease(self.id, [Damage(name, "missing", "the manifest pins it, it is not there")])
        if digest_file(path) != self.manifest.files[name]:
            raise DamagedRelease(self.id, [Damage(name, "changed", "its sha256 is not the pinned one")])
        return path

    def json(self, name: str) -> dict[str, Any]:
        """A pinned JSON file (``evaluation.json``, ``dataset.json``); {} where the release has none."""
        if name not in self.manifest.files:
            return {}
        content = json.loads(self.file(name).read_bytes())
        return content if isinstance(content, dict) else {}

    def statements(self, kind: str | None = None) -> list[Statement]:
        """Statements whose signature holds and that speak of this release, oldest first.

        Others are left out here and named by ``verify``: a damaged statement must not stop a sound model.
        """
        found = []
        folder = self.path / STATEMENTS
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            try:
                statement = read_statement(path)
            except UnreadableStatement:
                continue
            if statement.release == self.id and (kind is None or statement.kind == kind) and signed(statement):
                found.append(statement)
        return sorted(found, key=lambda statement: statement.made_at)

    def newest(self, kind: str, machine: str | None = None) -> Statement | None:
        """The latest statement of a kind, on one machine where a fingerprint is given; None where there is none."""
        fitting = [s for s in self.statements(kind) if machine is None or s.machine == machine]
        return fitting[-1] if fitting else None


def _no_links(root: Path, name: str) -> Path:
    path = root
    for part in name.split("/"):
        path = path / part
        if path.is_symlink():
            raise UnsafePath(f"{name} is or lies behind a symbolic link in {root}; a release holds plain files only")
    return path


def write_release(shelf: Path, manifest: Manifest, files: Mapping[str, Path | bytes]) -> Release:
    """Lay ``files`` into ``shelf/<id>/``, pinned by ``manifest``; all or nothing, and once.

    ``manifest.files`` is filled in here. Where the very release exists already it is opened instead, after
    its files were hashed (``DamagedRelease`` where they changed).
    """
    for name in files:
        safe_path(name)
    missing = {v.graph for m in manifest.models.values() for v in m.variants.values()} - set(files)
    if missing:
        raise IncompleteManifest(f"the manifest names graphs that were not handed in: {', '.join(sorted(missing))}")
    pinned = {
        name: digest_bytes(source) if isinstance(source, bytes) else digest_file(source)
        for name, source in sorted(files.items())
    }
    full = dataclasses.replace(manifest, files=pinned)
    final = shelf / release_id(full)
    if not final.exists():
        with atomic_folder(final) as folder:
            for name, source in files.items():
                _lay(folder / name, source)
            (folder / MANIFEST).write_bytes(manifest_bytes(full))
    release = Release.open(final)
    for name in release.manifest.files:
        release.file(name)
    return release


def _lay(target: Path, source: Path | bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(source, bytes):
        target.write_bytes(source)
    else:
        shutil.copyfile(source, target)
