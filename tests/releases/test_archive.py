"""A release as one signed file: the same bytes every time, and nothing on the shelf unless all of it is sound."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from modelmint.kit.canonical import canonical_json
from modelmint.kit.clock import ManualClock
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import Corrupted, InvalidInput, ModelmintError
from modelmint.releases import statements
from modelmint.releases.archive.envelope import seal
from modelmint.releases.archive.export import export_release
from modelmint.releases.archive.intake import import_archive, read_seal
from modelmint.releases.archive.layout import END, SEAL, header, padding
from modelmint.releases.archive.types import Contents, Entry
from modelmint.releases.bundle import Release
from modelmint.releases.errors import (
    ArchiveNotFound,
    BrokenArchive,
    DamagedRelease,
    NewerSchema,
    NotAnArchive,
    UnknownSigner,
    UnreadableTrust,
    UnsafePath,
    WrongFingerprint,
)
from modelmint.releases.shelf import Shelf
from modelmint.releases.sign import fingerprint, open_key
from modelmint.releases.trust import TrustStore
from modelmint.testing.releases import brightness_release

CLOCK = ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC))


class Two:
    """A workspace that exports and another one that imports."""

    def __init__(self, folder: Path) -> None:
        self.key = folder / "here" / "keys" / "statements.pem"
        self.release = brightness_release(folder / "here" / "releases")
        statements.add(self.release, "cost", {"rate": 12.5}, self.key, "machine1", CLOCK)
        self.file = folder / "brightness.release.tar"
        self.shelf = Shelf(folder / "there" / "releases")
        self.trust = TrustStore(folder / "there" / "keys")
        self.signer = fingerprint(open_key(self.key).public)

    def export(self, **more: bool) -> bytes:
        export_release(self.release, self.file, self.key, **more)
        return self.file.read_bytes()

    def take_in(self) -> Release:
        return import_archive(self.file, self.shelf, self.trust, trusting=self.signer)[0]

    def nothing_appeared(self) -> bool:
        root = self.shelf.root
        left = [item.name for item in root.iterdir() if not item.name.endswith(".lock")] if root.exists() else []
        return self.shelf.ids() == [] and left == []


@pytest.fixture
def two(tmp_path: Path) -> Two:
    return Two(tmp_path)


def pack(folder: Path, names: list[str], key: Path, **change: object) -> bytes:
    """An archive with a sound signature over whatever is asked for."""
    contents = [(name, (folder / name).read_bytes()) for name in names]
    return packed(contents, folder.name, key, **change)


def packed(files: list[tuple[str, bytes]], release: str, key: Path, **change: object) -> bytes:
    entries = tuple(Entry(name, len(content), digest_bytes(content)) for name, content in files)
    envelope = seal(Contents(release, {"name": "shapes"}, entries), open_key(key))
    if change:
        envelope = resealed(envelope, key, change)
    parts = [header(SEAL, len(envelope)), envelope, padding(len(envelope))]
    for name, content in files:
        parts += [header(name, len(content)), content, padding(len(content))]
    return b"".join([*parts, END])


def resealed(envelope: bytes, key: Path, change: dict[str, object]) -> bytes:
    """The envelope with another predicate, signed again: a trusted signer who writes nonsense."""
    payload = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    payload["predicate"].update(change)
    content, signer, kind = canonical_json(payload), open_key(key), "application/vnd.in-toto+json"
    message = f"DSSEv1 {len(kind)} {kind} {len(content)} ".encode() + content
    signature = {"keyid": fingerprint(signer.public), "public_key": signer.public, "sig": signer.sign(message)}
    return canonical_json(
        {"payloadType": kind, "payload": base64.b64encode(content).decode(), "signatures": [signature]}
    )


def test_what_is_exported_here_is_the_same_release_there(two: Two) -> None:
    two.export()
    taken = two.take_in()
    assert taken.id == two.release.id
    assert taken.graph().read_bytes() == two.release.graph().read_bytes()
    assert [s.body for s in taken.statements("cost")] == [{"rate": 12.5}]
    assert two.shelf.ids() == [two.release.id]


def test_the_same_release_gives_the_same_bytes_whenever_and_by_whichever_python_it_is_exported(two: Two) -> None:
    first = two.export()
    for path in two.release.path.rglob("*"):
        os.utime(path, (1, 1))
    assert two.export() == first
    # The layout is ours, not that of a library's version; only key and statement differ between runs.
    key = two.key.parent / "fixed.pem"
    fixed = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    pem = fixed.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key.write_bytes(pem)
    bare = packed([("manifest.json", b"{}")], "ab" * 32, key)
    assert digest_bytes(bare) == "fd6325a35209bbe03319565a0c0d832115fbbd56c423e1ceef9f83e01e336224"


def test_any_program_lists_an_archive_and_it_holds_the_release_and_nothing_else_of_the_workspace(two: Two) -> None:
    (two.release.path.parent.parent / "cases").mkdir()
    (two.release.path.parent.parent / "cases" / "0.png").write_bytes(b"private")
    content = two.export()
    with tarfile.open(fileobj=io.BytesIO(content)) as opened:
        names = opened.getnames()
        assert {(m.mode, m.mtime, m.uid, m.uname, m.isreg()) for m in opened} == {(0o644, 0, 0, "", True)}
    inside = sorted(p.relative_to(two.release.path).as_posix() for p in two.release.path.rglob("*") if p.is_file())
    assert sorted(names) == sorted([SEAL, *inside])
    assert names[:2] == [SEAL, "manifest.json"]
    assert b"PRIVATE KEY" not in content


def test_statements_stay_at_home_where_that_is_asked(two: Two) -> None:
    two.export(statements=False)
    assert two.take_in().statements() == []


def test_statements_that_come_later_are_added_to_the_release_that_is_there(two: Two) -> None:
    two.export(statements=False)
    two.take_in()
    two.export()
    assert len(two.take_in().statements("cost")) == 1
    assert two.shelf.ids() == [two.release.id]


def test_a_damaged_release_is_not_exported(two: Two) -> None:
    (two.release.path / "README.md").write_bytes(b"other")
    with pytest.raises(DamagedRelease):
        two.export()
    assert not two.file.exists()


def test_an_unknown_signer_is_refused_with_its_fingerprint_and_nothing_is_unpacked(two: Two) -> None:
    two.export()
    with pytest.raises(UnknownSigner, match=two.signer) as refused:
        import_archive(two.file, two.shelf, two.trust)
    assert refused.value.details["fingerprint"] == two.signer
    assert two.nothing_appeared()
    assert not two.trust.keys.exists()


def test_a_signer_once_named_is_trusted_until_it_is_forgotten(two: Two) -> None:
    two.export()
    two.take_in()
    assert two.trust.signers() == {two.signer: two.release.manifest.venture["name"]}
    assert import_archive(two.file, two.shelf, two.trust)[0].id == two.release.id
    assert two.trust.forget(two.signer)
    assert not two.trust.forget(two.signer)
    with pytest.raises(UnknownSigner):
        import_archive(two.file, two.shelf, two.trust)


def test_a_workspace_takes_its_own_archives_back(two: Two) -> None:
    two.export()
    own = TrustStore(two.key.parent)
    assert import_archive(two.file, Shelf(two.shelf.root), own)[0].id == two.release.id


def test_a_fingerprint_that_is_another_ones_or_none_is_refused(two: Two) -> None:
    two.export()
    with pytest.raises(WrongFingerprint, match="not from whom you think"):
        import_archive(two.file, two.shelf, two.trust, trusting="0" * 64)
    with pytest.raises(WrongFingerprint, match="64 hex digits"):
        import_archive(two.file, two.shelf, two.trust, trusting=two.signer[:16])
    assert two.nothing_appeared()


def test_a_signer_is_not_trusted_through_an_archive_that_is_broken(two: Two) -> None:
    content = bytearray(two.export())
    content[-1500] ^= 1
    two.file.write_bytes(content)
    with pytest.raises(Corrupted):
        two.take_in()
    assert two.trust.signers() == {}


def test_a_list_of_signers_that_was_edited_badly_trusts_nobody(two: Two) -> None:
    two.export()
    two.take_in()
    (two.trust.keys / "trusted.json").write_text('{"signers": {"everybody": ""}}')
    with pytest.raises(UnreadableTrust):
        import_archive(two.file, two.shelf, two.trust)


def test_one_changed_byte_anywhere_is_found_and_nothing_appears(two: Two) -> None:
    content = two.export()
    every = 97  # a prime, so that headers, contents, padding and the end are all met
    for place in [*range(0, len(content), every), len(content) - 1]:
        changed = bytearray(content)
        changed[place] ^= 0x20
        two.file.write_bytes(changed)
        with pytest.raises((Corrupted, InvalidInput)):
            two.take_in()
        assert two.nothing_appeared(), place


def test_a_file_that_is_cut_off_or_longer_is_refused_before_anything_is_unpacked(two: Two) -> None:
    content = two.export()
    for size in (0, 100, 512, 700, 2000, len(content) // 2, len(content) - 1):
        two.file.write_bytes(content[:size])
        with pytest.raises((BrokenArchive, NotAnArchive)):
            two.take_in()
    two.file.write_bytes(content + b"\0")
    with pytest.raises(BrokenArchive, match="behind its end"):
        two.take_in()
    assert two.nothing_appeared()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "models/../../evil", "a//b", "a\\b", "./a", "models/a\nb"])
def test_no_name_leaves_the_release_even_if_it_is_signed(two: Two, name: str) -> None:
    two.file.write_bytes(packed([("manifest.json", b"{}"), (name, b"x")], two.release.id, two.key))
    with pytest.raises(UnsafePath):
        two.take_in()
    assert two.nothing_appeared()


@pytest.mark.parametrize(
    "names",
    [
        ["README.md", "manifest.json"],
        ["manifest.json", "README.md", "README.md"],
        ["manifest.json", "README.md", "readme.MD"],
        ["manifest.json", "a", "a/b"],
        ["manifest.json", "a" * 250],
        ["manifest.json", "a/" * 800 + "b"],
        [],
    ],
    ids=["manifest not first", "twice", "twice by case", "file and folder", "long part", "long path", "empty"],
)
def test_a_signed_list_that_no_disk_can_hold_is_refused(two: Two, names: list[str]) -> None:
    two.file.write_bytes(packed([(name, b"x") for name in names], two.release.id, two.key))
    with pytest.raises(BrokenArchive):
        two.take_in()
    assert two.nothing_appeared()


@pytest.mark.parametrize(
    "names", [["statements/../a.json"], ["statements/a/b.json"], ["statements/run.sh"], ["cases/0.png"]]
)
def test_only_pinned_files_and_statements_come_along(two: Two, names: list[str]) -> None:
    sound = [(name, (two.release.path / name).read_bytes()) for name in ["manifest.json", *two.release.manifest.files]]
    two.file.write_bytes(packed([*sound, *((name, b"x") for name in names)], two.release.id, two.key))
    with pytest.raises((BrokenArchive, UnsafePath)):
        two.take_in()
    assert two.nothing_appeared()


def test_a_signed_archive_of_another_release_a_missing_file_or_a_false_statement_is_refused(two: Two) -> None:
    names = ["manifest.json", *two.release.manifest.files]
    two.file.write_bytes(pack(two.release.path, names[:-1], two.key))
    with pytest.raises(BrokenArchive, match="list and its manifest differ"):
        two.take_in()
    two.file.write_bytes(
        packed([("manifest.json", two.release.path.joinpath(names[0]).read_bytes())], "ab" * 32, two.key)
    )
    with pytest.raises(BrokenArchive, match="not that of release"):
        two.take_in()
    sound = [(name, (two.release.path / name).read_bytes()) for name in names]
    statement = dataclasses.replace(two.release.statements()[0], body={"rate": 99})
    two.file.write_bytes(packed([*sound, ("statements/cost.json", canonical_json(statement))], two.release.id, two.key))
    with pytest.raises(DamagedRelease) as refused:
        two.take_in()
    assert [one["kind"] for one in refused.value.details["damage"]] == ["bad_signature"]
    assert two.nothing_appeared()


@pytest.mark.parametrize("sizes", [[10**30], [-1], [True], ["9"], [2**49, 5], None], ids=repr)
def test_sizes_that_lie_are_refused_before_a_byte_is_written(two: Two, sizes: object) -> None:
    two.file.write_bytes(packed([("manifest.json", b"{}")], two.release.id, two.key, sizes=sizes))
    with pytest.raises(BrokenArchive):
        two.take_in()
    assert two.nothing_appeared()


def test_a_newer_schema_is_refused_not_guessed_at(two: Two) -> None:
    two.file.write_bytes(packed([("manifest.json", b"{}")], two.release.id, two.key, schema=2))
    with pytest.raises(NewerSchema):
        two.take_in()


def test_links_and_repacked_archives_are_refused(two: Two, tmp_path: Path) -> None:
    content = two.export()
    repacked = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as old, tarfile.open(fileobj=repacked, mode="w") as new:
        for member in old:
            if member.name == "README.md":
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            new.addfile(member, old.extractfile(member) if member.isreg() else None)
    two.file.write_bytes(repacked.getvalue())
    with pytest.raises(ModelmintError):
        two.take_in()
    for name, made in {"bomb.zip": zipped(), "text": b"hello" * 500, "empty.tar": END}.items():
        other = tmp_path / name
        other.write_bytes(made)
        with pytest.raises(NotAnArchive):
            read_seal(other)
    with pytest.raises(ArchiveNotFound):
        read_seal(tmp_path / "absent")
    with pytest.raises(NotAnArchive):
        read_seal(tmp_path)
    assert two.nothing_appeared()


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("manifest.json", bytes(10**7))
    return made.getvalue()


def test_envelopes_of_every_broken_shape_are_told_apart_from_a_crash(two: Two) -> None:
    shapes = [
        b"",
        b"[]",
        b"[" * 200_000,
        b"{}",
        b"null",
        b'{"payload":"A"}',
        b"\xff\xfe",
        b'{"payload":NaN}',
        b"9" * 5000,
    ]
    whole = json.loads(seal(Contents(two.release.id, {}, (Entry("manifest.json", 2, "ab" * 32),)), open_key(two.key)))
    for key in whole:
        shapes += [canonical_json({k: v for k, v in whole.items() if k != key}), canonical_json({**whole, key: 5})]
    shapes.append(json.dumps(whole).encode())
    for shape in shapes:
        two.file.write_bytes(header(SEAL, len(shape)) + shape + padding(len(shape)) + END)
        with pytest.raises(BrokenArchive):
            two.take_in()


HELD = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from modelmint.releases.archive import intake
from modelmint.releases.shelf import Shelf
from modelmint.releases.trust import TrustStore
archive, shelf, keys, signer, go, after = sys.argv[1:]
laid, real, whole = [], intake.fcntl, intake._lay
def flock(*given):
    print("at the lock", flush=True)
    return real.flock(*given)
def lay(file, entry, target):
    whole(file, entry, target)
    laid.append(entry)
    print(entry.name, flush=True)
    while len(laid) >= int(after) and not Path(go).exists():
        time.sleep(0.01)
intake.fcntl, intake._lay = SimpleNamespace(flock=flock, LOCK_EX=real.LOCK_EX), lay
intake.import_archive(Path(archive), Shelf(Path(shelf)), TrustStore(Path(keys)), trusting=signer)
"""


def held_import(two: Two, go: Path, after: int) -> subprocess.Popen[str]:
    """An import in a process of its own, which stands still after so many files until ``go`` is there."""
    words = [two.file, two.shelf.root, two.trust.keys, two.signer, go, str(after)]
    return subprocess.Popen([sys.executable, "-c", HELD, *words], stdout=subprocess.PIPE, text=True)


def told(process: subprocess.Popen[str], lines: int) -> list[str]:
    """Its next lines."""
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(lines)]


def test_an_import_killed_in_the_middle_leaves_nothing_on_the_shelf_and_the_next_one_clears_up(
    two: Two, tmp_path: Path
) -> None:
    two.export()
    process = held_import(two, tmp_path / "never", after=3)
    assert all(told(process, 4))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert two.shelf.ids() == []
    assert list(two.shelf.list()) == []
    assert two.trust.signers() == {}
    assert (two.shelf.root / ".incoming").is_dir()
    assert two.take_in().id == two.release.id
    assert not (two.shelf.root / ".incoming").exists()


def test_two_imports_at_once_both_end_well(two: Two, tmp_path: Path) -> None:
    two.export()
    go = tmp_path / "go"
    first = held_import(two, go, after=1)
    assert all(told(first, 2))  # it has the lock and one file
    second = held_import(two, go, after=1)
    assert told(second, 1) == ["at the lock"]
    assert two.shelf.ids() == []
    go.touch()
    for process in (first, second):
        process.communicate()
        assert process.returncode == 0
    assert two.shelf.ids() == [two.release.id]
