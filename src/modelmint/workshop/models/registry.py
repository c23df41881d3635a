"""The catalogue of bases, and what a ``base`` that is not in it means."""

from __future__ import annotations

from modelmint.kit.registry import Registry, nearest
from modelmint.workshop.errors import UnknownBase
from modelmint.workshop.models.backbone import Backbone, BackboneFactory, BaseRequest
from modelmint.workshop.models.cnn import cnn
from modelmint.workshop.models.efficientnet import efficientnet
from modelmint.workshop.models.hub import transformers_base
from modelmint.workshop.models.identity import folder_of, looks_like_hub_id, looks_like_path

BACKBONES: Registry[BackboneFactory] = Registry(
    "backbone",
    {
        "cnn": cnn,
        "efficientnet-lite0": efficientnet("efficientnet-lite0"),
        "efficientnet-lite2": efficientnet("efficientnet-lite2"),
    },
)


def resolve_base(request: BaseRequest) -> Backbone:
    """The backbone a venture's ``base`` names: catalogue, then folder, then hub id.

    Raises ``UnknownBase`` with the nearest name, or what the kind of base raises.
    """
    base = request.base
    if base in BACKBONES.names():
        return BACKBONES.get(base)(request)
    if folder_of(base, request.root) is not None:
        return transformers_base(request)
    if looks_like_hub_id(base) and not looks_like_path(base):
        return transformers_base(request)
    if looks_like_path(base):
        raise UnknownBase(
            f"base = {base!r}: expected a transformers model folder with config.json and *.safetensors at "
            f"{(request.root / base).resolve()}, found none"
        )
    close = nearest(base, BACKBONES.names())
    hint = f" Did you mean {close!r}?" if close else ""
    raise UnknownBase(
        f"base = {base!r} is not in the catalogue ({', '.join(BACKBONES.names())}).{hint} A local folder is "
        "written ./folder, a model on a hub owner/name"
    )
