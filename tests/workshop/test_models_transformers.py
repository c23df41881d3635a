"""Any transformers vision model by folder: proved on small, randomly initialised ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import transformers

from modelmint.kit.progress import Silent
from modelmint.workshop.errors import UnusableBase
from modelmint.workshop.models.architectures import blank_classifier
from modelmint.workshop.models.backbone import Backbone, BaseRequest
from modelmint.workshop.models.classifier import Classifier
from modelmint.workshop.models.registry import resolve_base
from modelmint.workshop.training.features import features_of
from modelmint.workshop.training.fit import fit
from modelmint.workshop.training.inputs import Data, Rows
from modelmint.workshop.training.types import Layout, Plan


def resnet_config() -> Any:
    return transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic", num_labels=5
    )


def vit_config() -> Any:
    return transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=32, patch_size=8
    )


CLASSES = {
    "resnet": (transformers.ResNetForImageClassification, resnet_config),
    "vit": (transformers.ViTForImageClassification, vit_config),
}


@pytest.fixture(params=sorted(CLASSES))
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    torch.manual_seed(1)
    kind, config = CLASSES[request.param]
    kind(config()).save_pretrained(tmp_path / request.param)
    return tmp_path / request.param


def resolve(folder: Path, **more: Any) -> Backbone:
    return resolve_base(BaseRequest(base=f"./{folder.name}", root=folder.parent, **more))


def data(size: int = 32, rows: int = 48) -> Data:
    """Three kinds of pictures that differ in their mean."""
    generator = torch.Generator().manual_seed(3)
    targets = torch.arange(rows) % 3
    pixels = torch.randn(rows, 3, size, size, generator=generator) * 0.3 + targets.view(-1, 1, 1, 1) - 1.0
    return Data(Rows(pixels, targets), Rows(pixels[:12], targets[:12]))


def plan(method: str) -> Plan:
    return Plan(
        method=method, epochs=6, batch_size=16, optimizer="adamw", learning_rate=3e-3, weight_decay=0.0,
        label_smoothing=0.0, class_weights=None, schedule="cosine", warmup=0.1, patience=0, augment=(),
        augment_share=1.0, copies=0,
        keep="last", freeze_norm=False, hidden=0, dropout=0.0, seed=0, threads=1,
    )  # fmt: skip


def train(network: Classifier, scratch: Path) -> None:
    fitted = fit(network, data(), plan("full"), Layout(), scratch=scratch, identity="t")
    assert fitted.history[-1].loss < fitted.history[0].loss
    assert fitted.history[-1].val_accuracy > 0.6


def test_it_trains_in_full(folder: Path, tmp_path: Path) -> None:
    train(resolve(folder).build(3), tmp_path / "scratch")


def test_its_body_stays_frozen_while_the_head_learns_on_cached_features(folder: Path, tmp_path: Path) -> None:
    network = resolve(folder).build(3, hidden=4)
    before = {key: tensor.clone() for key, tensor in network.body.state_dict().items()}
    cached = tmp_path / "features.safetensors"
    features = features_of(network.body, data(), Layout(), torch.device("cpu"), cached, Silent())
    assert features.train.inputs.shape == (48, 16)
    fit(network.head, features, plan("head"), Layout(), scratch=tmp_path / "scratch", identity="t")
    assert all(torch.equal(before[key], tensor) for key, tensor in network.body.state_dict().items())
    assert cached.is_file()


def test_it_exports_to_onnx_with_any_batch_size(folder: Path, tmp_path: Path) -> None:
    network = resolve(folder).build(3).eval()
    path = tmp_path / "model.onnx"
    torch.onnx.export(
        network, (torch.zeros(2, 3, 32, 32),), str(path), input_names=["pixels"], output_names=["logits"],
        dynamo=True, dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=64)},), external_data=False,
        verbose=False,
    )  # fmt: skip
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for rows in (1, 5):
        pixels = torch.randn(rows, 3, 32, 32)
        (found,) = session.run(None, {"pixels": pixels.numpy()})
        np.testing.assert_allclose(found, network(pixels).detach().numpy(), atol=1e-5)


def test_it_comes_back_from_its_recorded_architecture_alone(folder: Path) -> None:
    backbone = resolve(folder)
    network = backbone.build(3).eval()
    architecture = json.loads(json.dumps(backbone.architecture))
    again = blank_classifier(architecture, 3, 0).eval()
    again.load_state_dict(network.state_dict())
    pixels = torch.randn(2, 3, 32, 32)
    assert torch.equal(network(pixels), again(pixels))
    assert str(folder.parent) not in json.dumps(backbone.architecture)


def test_its_pretrained_weights_are_the_ones_in_the_folder(folder: Path) -> None:
    one, two = resolve(folder).build(3, seed=0), resolve(folder).build(3, seed=9)
    body = two.body.state_dict()
    assert all(torch.equal(tensor, body[key]) for key, tensor in one.body.state_dict().items())


def test_the_image_processor_decides_scaling_and_size(folder: Path) -> None:
    (folder / "preprocessor_config.json").write_text(
        json.dumps(
            {
                "image_mean": [0.4, 0.5, 0.6],
                "image_std": [0.2, 0.2, 0.3],
                "size": {"height": 32, "width": 32},
                "resample": 3,
            }
        )
    )
    settings = resolve(folder).settings
    assert settings.mean == (0.4, 0.5, 0.6)
    assert settings.std == (0.2, 0.2, 0.3)
    assert settings.image_size == 32
    assert settings.resample == "bicubic"


def test_a_rescale_factor_other_than_one_in_255_is_folded_into_mean_and_std(folder: Path) -> None:
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"image_mean": [1.0] * 3, "image_std": [1.0] * 3, "rescale_factor": 1 / 127.5, "size": 32})
    )
    settings = resolve(folder).settings
    assert settings.mean == pytest.approx((0.5,) * 3)
    assert settings.std == pytest.approx((0.5,) * 3)


def test_a_stated_size_stretches_position_encodings(folder: Path) -> None:
    network = resolve(folder, image_size=48).build(3)
    assert network(torch.zeros(2, 3, 48, 48)).shape == (2, 3)


def test_pickled_weights_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(UnusableBase, match="pickled weights are never loaded"):
        resolve(folder)


def test_weights_that_do_not_cover_the_network_are_refused(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    dropped = sorted(key for key in state if "classifier" not in key and key.endswith("weight"))[0]
    del state[dropped]
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UnusableBase, match="half random"):
        resolve(folder).build(3)
