"""Conformance of explanations, whatever the backbone and its precision: what a map calls hot, matters.

Painting the hottest tenth of a picture out lowers the log odds of its label by more than painting random tenths
does, over many pictures, with the 95 % interval of the difference above 0. Every network here learns in seconds to
tell a red square from a green one, wherever it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra 'workshop'")
transformers = pytest.importorskip("transformers", reason="needs the extra 'workshop'")

from modelmint.inference.engines.registry import ENGINES  # noqa: E402
from modelmint.inference.explain.explain import explain_row  # noqa: E402
from modelmint.inference.explain.masking import masking_test  # noqa: E402
from modelmint.inference.explain.types import CAM, OCCLUSION  # noqa: E402
from modelmint.inference.types import Engine  # noqa: E402
from modelmint.kit.arrays import AnyArray  # noqa: E402
from modelmint.tasks.registry import TASKS  # noqa: E402
from modelmint.tasks.types import DecisionRule, ModelSpec  # noqa: E402
from modelmint.workshop.compression.export import export  # noqa: E402
from modelmint.workshop.compression.quantise import Quantise  # noqa: E402
from modelmint.workshop.compression.types import Materials  # noqa: E402
from modelmint.workshop.models.backbone import BaseRequest  # noqa: E402
from modelmint.workshop.models.registry import resolve_base  # noqa: E402

SIDE = 56
LABELS = ("red", "green")


@dataclass(frozen=True)
class Case:
    """A backbone, what kind of map it has, and how it learns: everything, or the head alone."""

    base: str
    kind: str
    pictures: int
    steps: int
    rate: float
    head_only: bool = False


CASES = {
    "cnn": Case("cnn", CAM, 48, 40, 3e-3),
    "efficientnet-lite0": Case("efficientnet-lite0", OCCLUSION, 24, 60, 1e-2, head_only=True),
    "resnet": Case("./resnet", CAM, 48, 40, 1e-2),
    "vit": Case("./vit", OCCLUSION, 48, 80, 3e-3),
}


def folders(root: Path) -> None:
    """Fresh transformers models; nothing is fetched."""
    resnet = transformers.ResNetConfig(embedding_size=16, hidden_sizes=[16, 32], depths=[1, 1], layer_type="basic")
    vit = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=SIDE, patch_size=8
    )
    transformers.ResNetForImageClassification(resnet).save_pretrained(root / "resnet")
    transformers.ViTForImageClassification(vit).save_pretrained(root / "vit")


def pictures(count: int, seed: int) -> tuple[AnyArray, AnyArray]:
    """Encoded pictures ``[n, 3, 56, 56]`` of a coloured square somewhere on noise, and their labels ``[n]``."""
    generator = np.random.default_rng(seed)
    found = generator.normal(0.0, 0.25, (count, 3, SIDE, SIDE)).astype(np.float32)
    targets = generator.integers(0, 2, count)
    for row, target in zip(found, targets, strict=True):
        top, left = generator.integers(0, SIDE - 14, 2)
        row[:, top : top + 14, left : left + 14] = -0.8
        row[target, top : top + 14, left : left + 14] = 0.9
    return found, targets


def learn(network: Any, case: Case) -> None:
    """A few steps of AdamW on fresh pictures."""
    inputs, targets = (torch.from_numpy(one) for one in pictures(192, seed=1))
    if case.head_only:
        network.eval()
        with torch.no_grad():
            inputs = torch.cat([network.features(part) for part in inputs.split(32)])
    trained = network.head if case.head_only else network
    trained.train()
    optimiser = torch.optim.AdamW(trained.parameters(), lr=case.rate)
    generator = torch.Generator().manual_seed(2)
    for _ in range(case.steps):
        chosen = torch.randint(0, len(inputs), (32,), generator=generator)
        loss = torch.nn.functional.cross_entropy(trained(inputs[chosen]), targets[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.eval()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    torch.manual_seed(1)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("bases")
    folders(root)
    yield root
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=sorted(CASES))
def graphs(request: pytest.FixtureRequest, root: Path) -> tuple[Case, Path, Path]:
    """The float32 graph and the int8 one."""
    case = CASES[request.param]
    network = resolve_base(BaseRequest(base=case.base, root=root, image_size=SIDE)).build(2)
    learn(network, case)
    plain, small = root / f"{request.param}.onnx", root / f"{request.param}-int8.onnx"
    export(network, (3, SIDE, SIDE), plain)
    Quantise().apply(plain, small, {}, Materials(calibration=lambda: pictures(64, seed=3)[0]))
    return case, plain, small


@pytest.fixture(params=["float32", "int8"])
def engine(request: pytest.FixtureRequest, graphs: tuple[Case, Path, Path]) -> Iterator[Engine]:
    _, plain, small = graphs
    opened = ENGINES.get("onnxruntime")(plain if request.param == "float32" else small, 1)
    yield opened
    opened.close()


def spec() -> ModelSpec:
    task = TASKS.get("image-classification")
    return ModelSpec(task.name, task.default_settings(image_size=SIDE), LABELS, DecisionRule())


def test_what_a_map_calls_hot_matters_more_than_a_random_part(graphs: tuple[Case, Path, Path], engine: Engine) -> None:
    case = graphs[0]
    rows, targets = pictures(case.pictures, seed=4)
    logits = engine.run(rows)
    labels = [int(label) for label in logits.argmax(axis=1)]
    assert (np.asarray(labels) == targets).mean() >= 0.9, "it must have learnt, or there is nothing to explain"
    found = [
        explain_row(engine, row, answer, label, spec()) for row, answer, label in zip(rows, logits, labels, strict=True)
    ]
    assert {one.kind for one in found} == {case.kind}
    assert {one.passes for one in found} == ({1} if case.kind == CAM else {49})
    told = masking_test(engine, rows, logits, labels, [np.asarray(one.values) for one in found], spec())
    assert told.difference.low > 0, told
    assert told.difference.n == case.pictures


def test_int8_looks_where_the_float32_network_looks(graphs: tuple[Case, Path, Path]) -> None:
    rows, _ = pictures(3, seed=5)
    maps: list[list[AnyArray]] = []
    for graph in graphs[1:]:
        engine = ENGINES.get("onnxruntime")(graph, 1)
        logits = engine.run(rows)
        found = [
            explain_row(engine, row, answer, int(answer.argmax()), spec())
            for row, answer in zip(rows, logits, strict=True)
        ]
        maps.append([np.ravel(one.values) for one in found])
        engine.close()
    alike = [np.corrcoef(plain, small)[0, 1] for plain, small in zip(*maps, strict=True)]
    assert np.mean(alike) > 0.6, alike
