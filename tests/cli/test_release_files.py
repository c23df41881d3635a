"""Releases out of a workspace and into another, as typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from onnx import TensorProto, helper

from modelmint.testing.shops import Furnished, furnish


@pytest.fixture
def shop(tmp_path: Path) -> Furnished:
    return furnish(tmp_path / "here")


def test_a_release_goes_out_as_one_file_and_in_again_once_its_signer_is_named(
    modelmint, shop: Furnished, tmp_path
) -> None:
    made = modelmint("-C", "here", "releases", "export", "--json").json
    file = tmp_path / f"brightness-{shop.release[:12]}.release.tar"
    assert made["path"] == str(file)
    assert made["size_bytes"] == file.stat().st_size
    assert modelmint("-C", "here", "releases", "signers", "--json").json["own"] == made["fingerprint"]

    refused = modelmint("-C", "there", "releases", "import", str(file), "--json")
    assert (refused.code, refused.json["error"]["code"]) == (6, "unknown_signer")
    assert made["fingerprint"] in refused.json["error"]["message"]

    words = ("-C", "there", "releases", "import", str(file), "--trust", made["fingerprint"], "--json")
    taken = modelmint(*words).json
    assert (taken["release"]["id"], taken["signed_by"]) == (shop.release, made["fingerprint"])
    assert modelmint("-C", "there", "releases", "verify", "--json").json["sound"] is True
    trusted = modelmint("-C", "there", "releases", "signers", "--json").json["trusted"]
    assert trusted == [{"fingerprint": made["fingerprint"], "name": "brightness"}]
    assert modelmint("-C", "there", "releases", "signers", "--forget", made["fingerprint"], "--json").json["forgotten"]
    assert modelmint("-C", "there", "releases", "import", str(file), "--json").code == 6


def test_a_mistyped_path_is_named_and_leaves_no_venture_behind(modelmint, tmp_path: Path) -> None:
    pixels = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", pixels[:1], pixels[1:])
    (tmp_path / "model.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    wrong = modelmint("releases", "import", "model.onx", "--data", "pictures")
    assert wrong.code == 2 and "did you mean 'model.onnx'?" in wrong.err
    lost = modelmint("releases", "import", "model.onnx", "--data", "picturs")
    assert lost.code == 2 and "--data: there is nothing at" in lost.err
    assert not (tmp_path / "venture.toml").exists(), "the next try with --data would be refused"


def test_nothing_is_overwritten_and_what_is_no_release_is_told_so(modelmint, shop: Furnished, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    kept = modelmint("-C", "here", "releases", "export", "--out", "taken", "--json")
    assert (kept.code, kept.json["error"]["code"]) == (4, "file_in_the_way")
    assert (tmp_path / "taken").read_text() == "mine"
    wrong = modelmint("-C", "there", "releases", "import", "taken", "--json")
    assert (wrong.code, wrong.json["error"]["code"]) == (2, "not_an_archive")
    gone = modelmint("-C", "there", "releases", "import", "gone.release.tar", "--json")
    assert (gone.code, gone.json["error"]["code"]) == (3, "archive_not_found")


def test_the_demo_refuses_data_that_is_not_the_published_one_before_it_makes_anything(
    modelmint, tmp_path: Path
) -> None:
    (tmp_path / "other.npz").write_bytes(b"PK")
    wrong = modelmint("demo", "chest-xray", "--data", "other.npz", "--json")
    assert (wrong.code, wrong.json["error"]["code"]) == (9, "wrong_download")
    assert "28209eda62fecd6e6a2d98b1501bb15f" in wrong.json["error"]["message"]
    for words in (("digits", "--data", "other.npz"), ("chest",)):
        assert modelmint("demo", *words, "--json").json["error"]["code"] == "bad_usage"
    assert [item.name for item in tmp_path.iterdir()] == ["other.npz"]
