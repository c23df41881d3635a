"""Laws of releases: re-hashing gives the id; one changed byte anywhere is found and named."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelmint.kit.clock import ManualClock
from modelmint.kit.errors import Corrupted
from modelmint.releases import statements
from modelmint.releases.bundle import Release, write_release
from modelmint.releases.manifest import manifest_bytes, parse_manifest, release_id
from modelmint.releases.types import Manifest, ReleasedModel, Variant
from modelmint.releases.verify import verify
from modelmint.tasks.types import DecisionRule, ModelSpec

CLOCK = ManualClock(datetime(2026, 5, 1, tzinfo=UTC))
names = st.text("abcdefghij-0123", min_size=1, max_size=8)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def manifests(draw: st.DrawFn) -> tuple[Manifest, dict[str, Path | bytes]]:
    models, files = {}, {}
    for name in draw(st.sets(names, min_size=1, max_size=3)):
        variants = {}
        for kind in draw(st.sets(names, min_size=1, max_size=2)):
            graph = f"models/{name}/{kind}/model.onnx"
            files[graph] = draw(st.binary(max_size=40))
            variants[kind] = Variant(graph, ({"kind": "quantise"},), "int8", len(files[graph]))
        decision = DecisionRule(draw(numbers), None, draw(st.none() | numbers))
        spec = ModelSpec("image-classification", {"mean": [draw(numbers)]}, ("a", draw(st.text(max_size=5))), decision)
        models[name] = ReleasedModel(spec, variants, min(variants), "cnn", draw(st.integers(0, 9)))
    texts = st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3)
    made = Manifest(1, draw(texts), models, {"n": draw(st.integers())}, draw(texts), draw(texts), draw(texts), {})
    return made, files


@given(manifests())
@settings(max_examples=60, deadline=None)
def test_a_release_rehashed_gives_its_own_id(made: tuple[Manifest, dict[str, Path | bytes]]) -> None:
    manifest, files = made
    with tempfile.TemporaryDirectory() as folder:
        release = write_release(Path(folder), manifest, files)
        again = Release.open(release.path)
        assert release_id(again.manifest) == again.id == release.path.name
        assert parse_manifest(manifest_bytes(again.manifest)) == again.manifest
        assert verify(release.path) == []


@given(st.data())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
def test_one_changed_byte_anywhere_is_found_and_named(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = ModelSpec("image-classification", {"mean": [0.5]}, ("a", "b"), DecisionRule())
        variant = Variant("models/m/default/model.onnx", (), "float32", 3)
        model = ReleasedModel(spec, {"default": variant}, "default", "cnn", 1)
        manifest = Manifest(1, {"name": "m"}, {"m": model}, {}, {}, {}, {}, {})
        release = write_release(folder, manifest, {variant.graph: b"abc", "README.md": b"read me"})
        statements.add(release, "cost", {"rate": 1.5, "engine": "onnxruntime"}, folder / "k.pem", "mm", CLOCK)
        path = release.path
        if data.draw(st.booleans(), label="copied under another name"):
            path = Path(shutil.copytree(release.path, folder / "copy"))
        files = sorted(item for item in path.rglob("*") if item.is_file())
        file = data.draw(st.sampled_from(files))
        content = bytearray(file.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
        file.write_bytes(bytes(content))
        try:
            damage = {item.path for item in verify(path)}
        except Corrupted:  # the byte of the schema number: refused as a newer schema
            damage = {"manifest.json"}
        assert file.relative_to(path).as_posix() in damage


def test_two_honest_builds_of_the_same_content_agree() -> None:
    spec = ModelSpec("image-classification", {}, ("a", "b"), DecisionRule())
    variant = Variant("models/m/default/model.onnx", (), "float32", 3)
    manifest = Manifest(1, {"name": "m"}, {"m": ReleasedModel(spec, {"d": variant}, "d", "cnn", 1)}, {}, {}, {}, {}, {})
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        first = write_release(Path(one), manifest, {variant.graph: b"abc", "a": b"1"})
        second = write_release(Path(two), dataclasses.replace(manifest), {"a": b"1", variant.graph: b"abc"})
        statements.add(first, "cost", {"rate": 1}, Path(one) / "k.pem", "m1", CLOCK)
        assert first.id == second.id
