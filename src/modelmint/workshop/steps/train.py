"""Build verb ``train``: backbone + head + method, one resumable run."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save as save_tensors
from torch import nn

import modelmint.workshop.models as models_package
import modelmint.workshop.training as training_package
from modelmint.data.augment import AugmentChoice, choose
from modelmint.data.version import DatasetVersion
from modelmint.kit.canonical import plain, pretty_json
from modelmint.kit.digest import digest_bytes, digest_package, digest_value
from modelmint.kit.files import write_atomic
from modelmint.kit.progress import Progress, Silent
from modelmint.tasks.registry import TASKS
from modelmint.tasks.types import ImageSettings
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.models.backbone import Backbone, BaseRequest
from modelmint.workshop.models.classifier import Classifier
from modelmint.workshop.models.registry import resolve_base
from modelmint.workshop.training.augment import Augmenter
from modelmint.workshop.training.defaults import plan_for
from modelmint.workshop.training.environment import default_threads, device, environment, reproducible
from modelmint.workshop.training.features import Copies, features_of, standardised
from modelmint.workshop.training.fit import Fitted, fit
from modelmint.workshop.training.inputs import Data, encode_rows
from modelmint.workshop.training.layout import LayoutDecision, decide
from modelmint.workshop.training.loss import balanced_weights, make_loss
from modelmint.workshop.training.run import RUN, TIMING, WEIGHTS, open_run
from modelmint.workshop.training.types import Layout, Plan, TrainedRun


@dataclass(frozen=True, slots=True)
class TrainInputs:
    """All that a training depends on, and where its unfinished state may lie."""

    dataset: DatasetVersion
    section: ModelSection
    #: Folder that a relative ``base`` is relative to (the venture's).
    root: Path
    #: Stable between attempts; holds the checkpoint, cached features and logs. May be deleted once the step is done.
    scratch: Path
    #: None takes the cores this process may use, or ``MODELMINT_THREADS``.
    threads: int | None = None
    #: The data section's; larger pictures are refused by the model's encode too, here and where it is served.
    max_pixels: int = ImageSettings(1).max_pixels


def run(inputs: TrainInputs, into: Path, progress: Progress | None = None) -> TrainedRun:
    """Train and write a finished folder to ``into``; interrupted and called again it goes on from its checkpoint."""
    progress = progress or Silent()
    threads = inputs.threads or default_threads()
    backbone = _backbone(inputs)
    choice = choose(inputs.dataset, inputs.section.augment)
    plan = _plan(inputs, backbone, choice, threads)
    spec = _spec(inputs, backbone)
    inputs.scratch.mkdir(parents=True, exist_ok=True)
    with reproducible(threads):
        network = backbone.build(len(inputs.dataset.labels), hidden=plan.hidden, dropout=plan.dropout, seed=plan.seed)
        network.to(device())
        started = time.monotonic()
        data = _encode(inputs, spec, progress)
        encoded = time.monotonic()
        train = _train_head if plan.method == "head" else _train_full
        decision, fitted, extra = train(network, data, plan, backbone, inputs, progress)
    weights = save_tensors({key: tensor.detach().cpu().contiguous() for key, tensor in network.state_dict().items()})
    content = {
        "schema": 1,
        "spec": spec,
        "backbone": _described(backbone),
        "plan": plain(plan),
        "layout": plain(decision.layout),
        "environment": environment(threads),
        "dataset": inputs.dataset.digest,
        "augment_reasons": dict(choice.reasons),
        "history": plain(fitted.history),
        "kept_epoch": fitted.kept_epoch,
        "weights": digest_bytes(weights),
    }
    timing = {
        "train_seconds": fitted.seconds + extra,
        "encode_seconds": encoded - started,
        "layout_seconds_per_step": dict(decision.measured),
    }
    return _write(into, weights, content, timing, inputs.scratch / "tensorboard")


def _write(into: Path, weights: bytes, content: Mapping[str, Any], timing: Mapping[str, Any], logs: Path) -> TrainedRun:
    into.mkdir(parents=True, exist_ok=True)
    write_atomic(into / WEIGHTS, weights)
    write_atomic(into / TIMING, pretty_json(timing))
    if logs.is_dir():
        shutil.copytree(logs, into / "tensorboard", dirs_exist_ok=True)
    write_atomic(into / RUN, pretty_json(content))  # last: a folder with it is whole
    return open_run(into)


def _backbone(inputs: TrainInputs) -> Backbone:
    section = inputs.section
    stated = section.image_size if "image_size" in section.model_fields_set else None
    request = BaseRequest(
        base=section.base,
        root=inputs.root,
        image_size=stated,
        default_size=section.image_size,
        channels=inputs.dataset.channels,
        revision=section.revision,
    )
    return resolve_base(request)


def _described(backbone: Backbone) -> dict[str, Any]:
    return {
        "name": backbone.name,
        "pretrained": backbone.pretrained,
        "licence": backbone.licence,
        "source": plain(backbone.source),
        "architecture": plain(backbone.architecture),
    }


def _spec(inputs: TrainInputs, backbone: Backbone) -> dict[str, Any]:
    task = TASKS.get(inputs.section.task)
    settings = task.default_settings(**asdict(backbone.settings) | {"max_pixels": inputs.max_pixels})
    return {"task": task.name, "settings": plain(settings), "labels": list(inputs.dataset.labels)}


def _plan(inputs: TrainInputs, backbone: Backbone, choice: AugmentChoice, threads: int) -> Plan:
    targets = inputs.dataset.targets("train")
    balanced = inputs.section.class_weights == "balanced"
    return plan_for(
        inputs.section,
        pretrained=backbone.pretrained,
        rows=len(targets),
        class_weights=balanced_weights(targets, len(inputs.dataset.labels)) if balanced else None,
        augment=tuple(choice.names),
        threads=threads,
    )


def _encode(inputs: TrainInputs, spec: Mapping[str, Any], progress: Progress) -> Data:
    train, val = (
        encode_rows(
            spec["task"], spec["settings"], inputs.dataset.payloads(split), inputs.dataset.targets(split),
            inputs.scratch / f"encoded-{split}.f32", progress, f"encode {split}",
        )
        for split in ("train", "val")
    )  # fmt: skip
    return Data(train, val)


def _identity(plan: Plan, backbone: Backbone, layout: Layout, dataset: str, *more: Any) -> str:
    """Names a run by all that its weights depend on, our own code included."""
    code = digest_package(*(Path(package.__path__[0]) for package in (models_package, training_package)))
    about = [plain(plan), _described(backbone), plain(backbone.settings), plain(layout), dataset, code]
    return digest_value([*about, environment(plan.threads), *more])


def _augmenter(plan: Plan, backbone: Backbone) -> Augmenter | None:
    return Augmenter(plan.augment, backbone.settings, plan.augment_share) if plan.augment else None


def _train_full(
    network: Classifier, data: Data, plan: Plan, backbone: Backbone, inputs: TrainInputs, progress: Progress
) -> tuple[LayoutDecision, Fitted, float]:
    where = device()
    rows = min(plan.batch_size, len(data.train))
    key = {
        **environment(plan.threads),
        "architecture": plain(backbone.architecture),
        "image_size": backbone.settings.image_size,
        "batch": rows,
    }
    decision = decide(
        network, data.train.inputs[:rows].to(where), data.train.targets[:rows].to(where), make_loss(plan, where),
        precision=inputs.section.precision, key=key, scratch=inputs.scratch,
    )  # fmt: skip
    identity = _identity(plan, backbone, decision.layout, inputs.dataset.digest)
    fitted = fit(
        network, data, plan, decision.layout, scratch=inputs.scratch, identity=identity,
        augmenter=_augmenter(plan, backbone), progress=progress,
    )  # fmt: skip
    return decision, fitted, 0.0


def _train_head(
    network: Classifier, data: Data, plan: Plan, backbone: Backbone, inputs: TrainInputs, progress: Progress
) -> tuple[LayoutDecision, Fitted, float]:
    convolutions = any(isinstance(module, nn.Conv2d) for module in network.body.modules())
    layout = Layout("float32", convolutions)
    identity = _identity(plan, backbone, layout, inputs.dataset.digest)
    if not backbone.pretrained:
        progress.note(f"base {backbone.name!r} has no pretrained weights: its head learns from random features")
    augmenter = _augmenter(plan, backbone)
    copies = Copies(plan.copies, augmenter, plan.seed) if augmenter and plan.copies else None
    cached = inputs.scratch / f"features-{digest_value([identity, 'features'])[:16]}.safetensors"
    started = time.monotonic()
    features, mean, spread = standardised(features_of(network.body, data, layout, device(), cached, progress, copies))
    seconds = time.monotonic() - started
    fitted = fit(
        network.head, features, plan, Layout("float32", channels_last=False),
        scratch=inputs.scratch, identity=identity, progress=progress,
    )  # fmt: skip
    network.head.absorb(*(part.to(next(network.head.parameters()).device) for part in (mean, spread)))
    return LayoutDecision(layout, {}), fitted, seconds
