from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelmint.kit.canonical import canonical_json
from modelmint.kit.clock import ManualClock
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import Corrupted
from modelmint.releases import statements
from modelmint.releases.bundle import Release, write_release
from modelmint.releases.describe import describe
from modelmint.releases.errors import (
    AmbiguousRelease,
    DamagedRelease,
    IncompleteManifest,
    NewerSchema,
    ReleaseNotFound,
    UnknownModel,
    UnreadableKey,
    UnreadableManifest,
    UnsafePath,
)
from modelmint.releases.shelf import Shelf
from modelmint.releases.sign import open_key
from modelmint.releases.types import Manifest, ReleasedModel, Variant
from modelmint.releases.verify import verify
from modelmint.tasks.types import DecisionRule, ModelSpec

CLOCK = ManualClock(datetime(2026, 5, 1, 12, tzinfo=UTC))
GRAPH = "models/shapes/default/model.onnx"


def manifest(seed: int = 0) -> Manifest:
    spec = ModelSpec(
        task="image-classification",
        settings={"image_size": 8, "channels": 1, "mean": [0.5], "std": [0.25]},
        labels=("round", "square"),
        decision=DecisionRule(temperature=1.25, positive="square", threshold=0.4),
    )
    variant = Variant(graph=GRAPH, recipe=({"kind": "quantise"},), precision="int8", size_bytes=4)
    model = ReleasedModel(spec=spec, variants={"default": variant}, default="default", backbone="cnn", test_reads=1)
    return Manifest(
        schema=1,
        venture={"name": "shapes", "use": "形状 only"},
        models={"shapes": model},
        dataset={"digest": "ab" * 32, "rows": {"train": 10, "val": 2, "test": 2}},
        lineage={"seed": seed},
        licences={"data": "not stated"},
        waivers={},
        files={},
    )


def written(shelf: Path, seed: int = 0) -> Release:
    files: dict[str, Path | bytes] = {GRAPH: b"graf", "README.md": b"hello", "evaluation.json": b'{"models":{}}'}
    return write_release(shelf, manifest(seed), files)


def signed(shelf: Path) -> Release:
    release = written(shelf)
    statements.add(release, "cost", {"rate": 12.5}, shelf.parent / "keys" / "k.pem", "machine1", CLOCK)
    return release


def rewrite(folder: Path, change: dict[str, object]) -> None:
    raw = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(canonical_json({**raw, **change}))


def test_the_id_of_a_release_is_the_sha256_of_its_manifest_file(tmp_path: Path) -> None:
    release = written(tmp_path / "shelf")
    assert release.id == digest_bytes((release.path / "manifest.json").read_bytes()) == release.path.name


def test_an_opened_release_equals_the_written_one(tmp_path: Path) -> None:
    release = written(tmp_path / "shelf")
    again = Release.open(release.path)
    assert again == release
    assert again.spec("shapes").decision == DecisionRule(temperature=1.25, positive="square", threshold=0.4)
    assert again.graph("shapes", "default").read_bytes() == b"graf"


def test_writing_the_same_content_twice_gives_one_release(tmp_path: Path) -> None:
    assert written(tmp_path / "shelf").path == written(tmp_path / "shelf").path
    assert len(list((tmp_path / "shelf").iterdir())) == 1


def test_statements_do_not_change_the_id(tmp_path: Path) -> None:
    release = signed(tmp_path / "shelf")
    assert Release.open(release.path).id == release.id
    assert release.statements("cost")[0].body == {"rate": 12.5}
    assert release.statements("gates") == []


def test_a_sound_release_has_no_damage(tmp_path: Path) -> None:
    assert verify(signed(tmp_path / "shelf").path) == []


def test_changed_missing_and_unexpected_files_are_each_named(tmp_path: Path) -> None:
    release = signed(tmp_path / "shelf")
    (release.path / "README.md").write_bytes(b"hellO")
    (release.path / "evaluation.json").unlink()
    (release.path / "virus.sh").write_text("x")
    (release.path / "statements" / "note.txt").write_text("x")
    assert [(d.path, d.kind) for d in verify(release.path)] == [
        ("README.md", "changed"),
        ("evaluation.json", "missing"),
        ("statements/note.txt", "unexpected"),
        ("virus.sh", "unexpected"),
    ]


def test_an_edited_statement_has_a_bad_signature_and_is_not_believed(tmp_path: Path) -> None:
    release = signed(tmp_path / "shelf")
    file = next((release.path / "statements").iterdir())
    file.write_bytes(file.read_bytes().replace(b"12.5", b"99.5"))
    assert [(d.path, d.kind) for d in verify(release.path)] == [(f"statements/{file.name}", "bad_signature")]
    assert release.statements() == []


def test_a_statement_by_another_key_is_sound_and_called_foreign(tmp_path: Path) -> None:
    release = signed(tmp_path / "shelf")
    other = open_key(tmp_path / "other.pem").public
    own = open_key(tmp_path / "keys" / "k.pem").public
    statement = release.statements()[0]
    assert (statements.signer(statement, own), statements.signer(statement, other)) == ("own", "foreign")
    assert verify(release.path) == []
    assert describe(release, other)["statements"][0]["signed_by"] == "foreign"


def test_a_statement_laid_beside_another_release_is_unexpected(tmp_path: Path) -> None:
    one, two = signed(tmp_path / "shelf"), written(tmp_path / "shelf", seed=1)
    statements.add(two, "cost", {}, tmp_path / "keys" / "k.pem", "machine1", CLOCK)
    file = next((one.path / "statements").iterdir())
    (two.path / "statements" / file.name).write_bytes(file.read_bytes())
    assert [(d.path, d.kind) for d in verify(two.path)] == [(f"statements/{file.name}", "unexpected")]
    assert len(two.statements()) == 1


def test_a_changed_manifest_is_found_by_the_folder_name_and_by_the_statements(tmp_path: Path) -> None:
    release = signed(tmp_path / "shelf")
    rewrite(release.path, {"lineage": {"seed": 7}})
    assert [(d.path, d.kind) for d in verify(release.path)] == [("manifest.json", "changed")]
    with pytest.raises(DamagedRelease, match="folder is named"):
        Release.open(release.path)
    moved = release.path.rename(tmp_path / "copy")
    assert [(d.path, d.kind) for d in verify(moved)] == [("manifest.json", "changed")]


def test_a_changed_graph_is_never_handed_out(tmp_path: Path) -> None:
    release = written(tmp_path / "shelf")
    (release.path / GRAPH).write_bytes(b"grab")
    with pytest.raises(DamagedRelease) as caught:
        release.graph()
    assert GRAPH in str(caught.value)


def test_a_truncated_manifest_is_corrupted(tmp_path: Path) -> None:
    release = written(tmp_path / "shelf")
    file = release.path / "manifest.json"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(UnreadableManifest, match="end or break early"):
        Release.open(release.path)
    assert [(d.path, d.kind) for d in verify(release.path)] == [("manifest.json", "changed")]


def test_a_manifest_that_was_only_reformatted_is_noticed(tmp_path: Path) -> None:
    release = written(tmp_path / "shelf")
    file = release.path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_bytes()), indent=1))
    with pytest.raises(UnreadableManifest, match="canonical"):
        Release.open(release.path)


def test_a_newer_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    release = written(tmp_path / "shelf")
    rewrite(release.path, {"schema": 2})
    with pytest.raises(NewerSchema, match="update Modelmint"):
        Release.open(release.path)


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/passwd", "a/../../b", "a//b", "a\\b", "statements/x.json", "a/./b", ""]
)
def test_a_path_that_leaves_the_release_is_refused(tmp_path: Path, path: str) -> None:
    release = written(tmp_path / "shelf")
    rewrite(release.path, {"files": {**release.manifest.files, path: "0" * 64}})
    with pytest.raises(UnsafePath):
        Release.open(release.path)
    with pytest.raises(UnsafePath):
        write_release(tmp_path / "other", manifest(), {GRAPH: b"graf", path: b"x"})


@pytest.mark.parametrize("link", ["README.md", "models", "manifest.json"])
def test_a_symbolic_link_in_a_release_is_refused(tmp_path: Path, link: str) -> None:
    release = written(tmp_path / "shelf")
    (release.path / link).rename(tmp_path / "elsewhere")
    (release.path / link).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnsafePath):
        Release.open(release.path)
    assert verify(release.path)


@pytest.mark.parametrize("lost", ["venture", "models", "files", "waivers"])
def test_a_manifest_that_lacks_a_part_is_corrupted(tmp_path: Path, lost: str) -> None:
    release = written(tmp_path / "shelf")
    raw = json.loads((release.path / "manifest.json").read_bytes())
    del raw[lost]
    (release.path / "manifest.json").write_bytes(canonical_json(raw))
    with pytest.raises(Corrupted, match=lost):
        Release.open(release.path)


def test_a_folder_without_a_manifest_is_not_found(tmp_path: Path) -> None:
    for opener in (Release.open, verify):
        with pytest.raises(ReleaseNotFound):
            opener(tmp_path)


def test_unknown_models_and_variants_name_what_is_there(tmp_path: Path) -> None:
    release = written(tmp_path / "shelf")
    with pytest.raises(UnknownModel, match="shapes"):
        release.spec("circles")
    with pytest.raises(UnknownModel, match="default"):
        release.graph("shapes", "small")


def test_a_manifest_must_be_handed_every_graph_it_names(tmp_path: Path) -> None:
    with pytest.raises(IncompleteManifest, match=GRAPH):
        write_release(tmp_path, manifest(), {"README.md": b"x"})


def test_the_shelf_finds_by_unique_prefix(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "shelf")
    assert shelf.list() == []
    ids = [written(shelf.root, seed).id for seed in range(20)]
    assert sorted(release.id for release in shelf.list()) == sorted(ids)
    assert shelf.get(ids[0]).id == shelf.get(ids[0][:20]).id == ids[0]
    twins = [i for i in ids if sum(j[0] == i[0] for j in ids) > 1]
    with pytest.raises(AmbiguousRelease):
        shelf.get(twins[0][0])
    with pytest.raises(ReleaseNotFound, match="no release starts with"):
        shelf.get("zz")
    with pytest.raises(ReleaseNotFound):
        shelf.get("")


def test_the_shelf_takes_in_a_verified_copy_with_its_statements(tmp_path: Path) -> None:
    release = signed(tmp_path / "shelf")
    other = Shelf(tmp_path / "elsewhere")
    taken = other.add(release.path)
    assert (taken.id, len(taken.statements())) == (release.id, 1)
    statements.add(release, "gates", {}, tmp_path / "keys" / "k.pem", "machine1", CLOCK)
    assert len(other.add(release.path).statements()) == 2


def test_the_shelf_refuses_a_damaged_copy_and_keeps_nothing_of_it(tmp_path: Path) -> None:
    release = signed(tmp_path / "shelf")
    (release.path / "README.md").write_bytes(b"?")
    with pytest.raises(DamagedRelease, match="README"):
        Shelf(tmp_path / "elsewhere").add(release.path)
    assert Shelf(tmp_path / "elsewhere").ids() == []


def test_an_unfinished_release_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_release(tmp_path / "shelf", manifest(), {GRAPH: tmp_path / "not-there"})
    assert Shelf(tmp_path / "shelf").ids() == []


def test_the_signing_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    open_key(tmp_path / "keys" / "k.pem")
    assert (tmp_path / "keys" / "k.pem").stat().st_mode & 0o777 == 0o600
    (tmp_path / "bad.pem").write_text("not a key")
    with pytest.raises(UnreadableKey):
        open_key(tmp_path / "bad.pem")


def test_the_newest_statement_of_a_machine_counts(tmp_path: Path) -> None:
    release = written(tmp_path / "shelf")
    clock, key = ManualClock(CLOCK.at), tmp_path / "k.pem"
    for rate, machine in ((1, "a"), (2, "b"), (3, "a")):
        clock.at = clock.at.replace(minute=rate)
        statements.add(release, "cost", {"rate": rate}, key, machine, clock)
    newest = [release.newest("cost", machine) for machine in ("a", "b", None, "c")]
    assert [n.body["rate"] if n else None for n in newest] == [3, 2, 3, None]


def test_describe_is_plain_json(tmp_path: Path) -> None:
    told = json.loads(canonical_json(describe(signed(tmp_path / "shelf"))))
    assert told["models"]["shapes"]["labels"] == ["round", "square"]
    assert told["statements"][0]["kind"] == "cost"


def test_a_manifest_may_hold_several_models_and_variants(tmp_path: Path) -> None:
    base = manifest()
    model = base.models["shapes"]
    small = dataclasses.replace(model.variants["default"], graph="models/shapes/small/model.onnx")
    both = dataclasses.replace(model, variants={"default": model.variants["default"], "small": small})
    other = dataclasses.replace(model, variants={"default": dataclasses.replace(small, graph="models/b/d/model.onnx")})
    release = write_release(
        tmp_path,
        dataclasses.replace(base, models={"shapes": both, "colours": other}),
        {GRAPH: b"1", "models/shapes/small/model.onnx": b"2", "models/b/d/model.onnx": b"3"},
    )
    assert release.graph("shapes").read_bytes() == b"1"
    assert release.graph("shapes", "small").read_bytes() == b"2"
    assert release.graph("colours").read_bytes() == b"3"
    with pytest.raises(UnknownModel, match="several models"):
        release.spec()
