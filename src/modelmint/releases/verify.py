"""Everything hashed again: each file that is not what it was, by name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from modelmint.kit.digest import digest_file
from modelmint.kit.errors import Corrupted
from modelmint.releases.errors import NewerSchema, ReleaseNotFound, UnreadableManifest, UnreadableStatement
from modelmint.releases.manifest import MANIFEST, STATEMENTS, is_digest, parse_manifest, release_id
from modelmint.releases.statement import read_statement, signed
from modelmint.releases.types import Damage, Manifest, Statement


def verify(path: Path) -> list[Damage]:
    """Every damage in the release at ``path``, in the order of names; empty means sound.

    The manifest itself is held against the folder's name where that is an id, and against the signed
    statements. A statement signed by another workspace's key is sound (``statements.signer`` calls it
    foreign). Raises ``ReleaseNotFound`` and ``NewerSchema``.
    """
    file = path / MANIFEST
    if not file.is_file() and not file.is_symlink():
        raise ReleaseNotFound(f"expected a release folder with {MANIFEST}, found none at {path}")
    statements, damage = _statements(path)
    manifest: Manifest | None = None
    try:
        if file.is_symlink():
            raise UnreadableManifest("it is a symbolic link")
        manifest = parse_manifest(file.read_bytes())
    except NewerSchema:
        raise
    except Corrupted as error:
        damage.append(Damage(MANIFEST, "changed", error.message))
    if manifest is not None:
        damage += _identity(path, release_id(manifest), statements)
        damage += _content(path, manifest)
    return sorted(damage, key=lambda item: item.path)


def _identity(path: Path, found: str, statements: dict[str, Statement]) -> Iterator[Damage]:
    if is_digest(path.name) and path.name != found:
        yield Damage(MANIFEST, "changed", f"hashes to {found[:12]}, the folder is named {path.name[:12]}")
    strangers = sorted({s.release for s in statements.values() if s.release != found})
    if statements and len(strangers) == len({s.release for s in statements.values()}):
        if not is_digest(path.name):
            yield Damage(MANIFEST, "changed", f"hashes to {found[:12]}, its statements speak of {strangers[0][:12]}")
    else:
        for name, statement in statements.items():
            if statement.release != found:
                yield Damage(name, "unexpected", f"speaks of another release, {statement.release[:12]}")


def _content(path: Path, manifest: Manifest) -> Iterator[Damage]:
    for name, pinned in manifest.files.items():
        item = path / name
        if any(parent.is_symlink() for parent in [item, *item.parents] if path in parent.parents):
            yield Damage(name, "changed", "it is, or lies behind, a symbolic link")
        elif not item.is_file():
            yield Damage(name, "missing", "the manifest pins it")
        elif (found := digest_file(item)) != pinned:
            yield Damage(name, "changed", f"sha256 {found[:12]}, expected {pinned[:12]}")
    known = {*manifest.files, MANIFEST}
    for item in sorted(path.rglob("*")):
        name = item.relative_to(path).as_posix()
        if name in known or (item.is_dir() and not item.is_symlink()):
            continue
        if name.startswith(f"{STATEMENTS}/") and name.endswith(".json") and name.count("/") == 1:
            continue
        yield Damage(name, "unexpected", "the manifest does not know it")


def _statements(path: Path) -> tuple[dict[str, Statement], list[Damage]]:
    found: dict[str, Statement] = {}
    damage: list[Damage] = []
    folder = path / STATEMENTS
    for file in sorted(folder.glob("*.json")) if folder.is_dir() and not folder.is_symlink() else []:
        name = f"{STATEMENTS}/{file.name}"
        try:
            if file.is_symlink():
                raise UnreadableStatement("it is a symbolic link")
            statement = read_statement(file)
        except UnreadableStatement as error:
            damage.append(Damage(name, "changed", error.message))
            continue
        if signed(statement):
            found[name] = statement
        else:
            damage.append(Damage(name, "bad_signature", "the signature does not belong to this text and key"))
    return found, damage
