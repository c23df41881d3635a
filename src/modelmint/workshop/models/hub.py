"""Any transformers vision model, from a local folder or a model hub; safetensors only, no remote code."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from modelmint.kit.errors import MissingExtra
from modelmint.tasks.types import ImageSettings
from modelmint.workshop.errors import UnusableBase
from modelmint.workshop.models.backbone import Backbone, BaseRequest
from modelmint.workshop.models.identity import folder_digests, folder_of, hub_snapshot

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_RESAMPLE = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}


class TransformersBody(nn.Module):
    """A transformers image classifier whose last linear layer became the identity: its logits are features.

    This keeps each architecture's own pooling. One without a ``classifier`` gives its pooled output, or
    the mean over its last hidden states.
    """

    def __init__(self, network: nn.Module, interpolate: bool) -> None:
        super().__init__()
        self.network = network
        self.interpolate = interpolate
        self.width = _open_classifier(network) or _hidden_width(network.config)
        self._logits = hasattr(network, "classifier")

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """``[n, c, s, s]`` to ``[n, width]``."""
        extra = {"interpolate_pos_encoding": True} if self.interpolate else {}
        answer = self.network(pixel_values=pixels, **extra)
        if self._logits:
            found = answer.logits
        elif getattr(answer, "pooler_output", None) is not None:
            found = answer.pooler_output
        else:
            last = answer.last_hidden_state
            found = last.mean(dim=(2, 3)) if last.dim() == 4 else last.mean(dim=1)
        features: torch.Tensor = torch.flatten(found, 1)
        return features


def _open_classifier(network: nn.Module) -> int | None:
    """Put the identity in place of the classifier's last linear layer; its input width, None without one."""
    classifier = getattr(network, "classifier", None)
    if classifier is None:
        return None
    linear = [(name, module) for name, module in classifier.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise UnusableBase(f"{type(network).__name__} has a classifier without a linear layer; use another base")
    name, last = linear[-1]
    if not name:
        network.classifier = nn.Identity()
    else:
        parent, _, child = name.rpartition(".")
        setattr(classifier.get_submodule(parent), child, nn.Identity())
    return int(last.in_features)


def _hidden_width(config: Any) -> int:
    sizes = getattr(config, "hidden_sizes", None)
    width = sizes[-1] if sizes else getattr(config, "hidden_size", None)
    if width is None:
        raise UnusableBase(f"cannot tell the feature width of a {config.model_type!r} model; use another base")
    return int(width)


def transformers_base(request: BaseRequest) -> Backbone:
    """Resolve a folder or hub id; raises ``UnusableBase``, ``BaseUnavailable``, ``MissingExtra``."""
    folder = folder_of(request.base, request.root) or hub_snapshot(request.base, request.revision)
    config = _read_json(folder / "config.json")
    if not any(folder.glob("*.safetensors")):
        raise UnusableBase(
            f"base {request.base!r} has no *.safetensors weights in {folder}; pickled weights are never loaded. "
            "Do: convert them once with save_pretrained(folder, safe_serialization=True)"
        )
    settings = _settings(folder, config, request)
    architecture = {
        "kind": "transformers",
        "config": {key: value for key, value in config.items() if key not in ("_name_or_path", "transformers_version")},
        "interpolate": _must_interpolate(config, settings.image_size, request.base),
    }
    return Backbone(
        name=request.base,
        pretrained=True,
        licence=_licence(folder),
        source={"origin": request.base, "revision": request.revision, "files": folder_digests(folder)},
        settings=settings,
        architecture=architecture,
        load=lambda: _pretrained(folder, architecture, request.base),
    )


def blank_transformers(architecture: Mapping[str, Any]) -> nn.Module:
    """A fresh body of a recorded architecture."""
    auto = _transformers()
    values = {key: value for key, value in architecture["config"].items() if key != "model_type"}
    config = auto.AutoConfig.for_model(architecture["config"]["model_type"], **values)
    return TransformersBody(_class_for(config).from_config(config), bool(architecture["interpolate"]))


def _pretrained(folder: Path, architecture: Mapping[str, Any], base: str) -> nn.Module:
    auto = _transformers()
    kind = _class_for(auto.AutoConfig.from_pretrained(folder))
    network, report = kind.from_pretrained(
        folder, use_safetensors=True, local_files_only=True, output_loading_info=True, dtype=torch.float32
    )
    missing = sorted(key for key in report["missing_keys"] if not key.startswith(("classifier", "pooler")))
    if missing:
        raise UnusableBase(
            f"the weights of {base!r} leave {len(missing)} tensors of the network unset, so it would start half random",
            problems=missing[:10],
        )
    return TransformersBody(network, bool(architecture["interpolate"]))


def _class_for(config: Any) -> Any:
    auto = _transformers()
    has_classifier = type(config) in auto.AutoModelForImageClassification._model_mapping
    return auto.AutoModelForImageClassification if has_classifier else auto.AutoModel


def _transformers() -> Any:
    try:
        transformers: Any = importlib.import_module("transformers")  # slow to import, so only for such a base
    except ImportError as error:
        raise MissingExtra("workshop", "a transformers base") from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableBase(f"cannot read {path}: {error}") from error
    if not isinstance(found, dict):
        raise UnusableBase(f"{path} should hold a JSON object")
    return found


def _settings(folder: Path, config: Mapping[str, Any], request: BaseRequest) -> ImageSettings:
    """The image processor's scaling and size, where the folder has one; a stated ``image_size`` wins."""
    path = folder / "preprocessor_config.json"
    wanted = _read_json(path) if path.is_file() else {}
    channels = int(config.get("num_channels", 3))
    mean = tuple(float(x) for x in wanted.get("image_mean", _IMAGENET_MEAN[:channels]))
    std = tuple(float(x) for x in wanted.get("image_std", _IMAGENET_STD[:channels]))
    if wanted.get("do_normalize") is False:
        mean, std = (0.0,) * channels, (1.0,) * channels
    # Processors compute (x * factor - mean) / std; ours is (x / 255 - mean) / std.
    ratio = 255.0 * (float(wanted.get("rescale_factor", 1 / 255)) if wanted.get("do_rescale", True) else 1.0)
    if abs(ratio - 1) > 1e-6:
        mean, std = tuple(x / ratio for x in mean), tuple(x / ratio for x in std)
    if channels not in (1, 3) or len(mean) != channels or len(std) != channels:
        raise UnusableBase(
            f"base {request.base!r} takes {channels} channels with {len(mean)} means; 1 or 3 channels are supported"
        )
    size = request.image_size or _size_of(wanted) or _config_size(config) or request.default_size
    resample = _RESAMPLE.get(int(wanted.get("resample", 2)), "bilinear")
    return ImageSettings(image_size=size, channels=channels, mean=mean, std=std, resample=resample)


def _size_of(processor: Mapping[str, Any]) -> int | None:
    for size in (processor.get("crop_size") if processor.get("do_center_crop") else None, processor.get("size")):
        if isinstance(size, int):
            return size
        if isinstance(size, Mapping):
            found = size.get("height") or size.get("shortest_edge")
            if found:
                return int(found)
    return None


def _config_size(config: Mapping[str, Any]) -> int | None:
    size = config.get("image_size")
    return size if isinstance(size, int) else None


def _must_interpolate(config: Mapping[str, Any], size: int, base: str) -> bool:
    """True where position encodings must be stretched to ``size``; raises where the network cannot."""
    own = _config_size(config)
    if own is None or own == size:
        return False
    auto = _transformers()
    values = {key: value for key, value in config.items() if key != "model_type"}
    resolved = auto.AutoConfig.for_model(config["model_type"], **values)
    network = _class_for(resolved)._model_mapping[type(resolved)]
    network = network[0] if isinstance(network, tuple) else network
    if "interpolate_pos_encoding" in inspect.signature(network.forward).parameters:
        return True
    if "patch_size" in config and "num_attention_heads" in config:
        raise UnusableBase(f"base {base!r} takes pictures of {own} px only. Do: write image_size = {own}")
    return False


def _licence(folder: Path) -> str:
    """The ``license:`` line of the model card's front matter."""
    card = folder / "README.md"
    if card.is_file():
        for line in card.read_text(encoding="utf-8", errors="replace").splitlines()[:40]:
            if line.startswith("license:"):
                return line.partition(":")[2].strip().strip("\"'") or "not stated"
    return "not stated"
