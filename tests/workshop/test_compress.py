"""Export and recipes on small networks; no training needed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from modelmint.evaluation.parity import Parity
from modelmint.inference.engines.registry import ENGINES
from modelmint.inference.types import Timing
from modelmint.kit.arrays import AnyArray
from modelmint.kit.estimate import Estimate
from modelmint.tasks.decision import abstentions, answers, probabilities
from modelmint.tasks.types import DecisionRule
from modelmint.venture.sections.compress import CompressSection, CompressStep
from modelmint.workshop.compression.carry import carry_rule
from modelmint.workshop.compression.crossfit import crossfitted_errors
from modelmint.workshop.compression.export import export
from modelmint.workshop.compression.graphs import plain_variant
from modelmint.workshop.compression.quantise import Quantise
from modelmint.workshop.compression.recipe import STEPS, apply_recipe, recipe_name
from modelmint.workshop.compression.types import Materials
from modelmint.workshop.compression.verdict import against_parent, dearer, drifted
from modelmint.workshop.errors import ExportFailed, RecipeFailed
from modelmint.workshop.types import Candidate

SHAPE = (3, 16, 16)


def network(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(3, 16, 3, stride=2, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.5),
        nn.Linear(32, 4),
    )  # fmt: skip
    model.train()
    with torch.no_grad():
        model(torch.randn(64, *SHAPE))
    return model.eval()


def pictures(count: int = 64) -> AnyArray:
    return np.random.default_rng(0).normal(size=(count, *SHAPE)).astype(np.float32)


def materials(count: int = 64) -> Materials:
    return Materials(calibration=lambda: pictures(count))


def run(graph: Path, batch: AnyArray, engine: str = "onnxruntime") -> AnyArray:
    opened = ENGINES.get(engine)(graph, 1)
    try:
        return opened.run(batch)
    finally:
        opened.close()


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "net.onnx"
    export(network(), SHAPE, path)
    return path


def test_the_exported_graph_answers_as_the_network_on_any_batch(graph: Path) -> None:
    model = network()
    for size in (1, 2, 7):
        batch = pictures(size)
        with torch.no_grad():
            expected = model(torch.from_numpy(batch)).numpy()
        assert np.abs(run(graph, batch) - expected).max() < 1e-5


def test_input_and_output_have_the_names_that_the_manifest_promises(graph: Path) -> None:
    model = onnx.load(str(graph))
    assert [item.name for item in model.graph.input] == ["pixels"]
    assert [item.name for item in model.graph.output] == ["logits", "cam"]


def test_the_same_weights_give_the_same_bytes(graph: Path, tmp_path: Path) -> None:
    export(network(), SHAPE, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == graph.read_bytes()
    export(network(seed=1), SHAPE, tmp_path / "other.onnx")
    assert (tmp_path / "other.onnx").read_bytes() != graph.read_bytes()


def test_padding_and_normalisation_are_folded_and_no_path_of_this_machine_is_left(graph: Path) -> None:
    model = onnx.load(str(graph))
    kinds = {node.op_type for node in model.graph.node}
    assert not {"Pad", "BatchNormalization", "Dropout"} & kinds
    content = graph.read_bytes()
    assert str(Path(__file__).parent).encode() not in content
    assert b"site-packages" not in content


class Unexportable(nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        if float(pixels.sum()) > 0:  # depends on the data: no graph can hold it
            return pixels.flatten(1)[:, :2]
        return pixels.flatten(1)[:, 2:4]


def test_a_network_that_no_graph_can_hold_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="cannot be written as ONNX"):
        export(Unexportable(), SHAPE, tmp_path / "x.onnx")
    assert not (tmp_path / "x.onnx").exists()


@pytest.mark.parametrize("observer", ["minmax", "percentile", "entropy"])
def test_int8_keeps_the_answers_with_every_observer(graph: Path, tmp_path: Path, observer: str) -> None:
    done = Quantise().apply(graph, tmp_path / "q.onnx", {"observer": observer}, materials())
    assert done.precision == "int8"
    assert done.facts["observer"] == observer
    before, after = run(graph, pictures()), run(tmp_path / "q.onnx", pictures())
    assert (before.argmax(axis=1) == after.argmax(axis=1)).mean() > 0.9
    assert np.abs(before - after).mean() < 0.1 * np.abs(before).mean() + 0.05


def test_int8_is_deterministic(graph: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        Quantise().apply(graph, tmp_path / name, {}, materials())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_layer_that_reads_the_picture_stays_in_float_and_the_rest_does_not(graph: Path, tmp_path: Path) -> None:
    facts = Quantise().apply(graph, tmp_path / "q.onnx", {}, materials()).facts
    model = onnx.load(str(tmp_path / "q.onnx"))
    makers = {name: node for node in model.graph.node for name in node.output}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    fed_by = {
        node.name: makers[node.input[0]].op_type if node.input[0] in makers else "picture" for node in convolutions
    }
    assert sorted(fed_by.values()) == ["DequantizeLinear", "picture"]
    assert facts["in_float32"]


def test_int8_takes_about_a_quarter_of_the_bytes_of_a_larger_graph(tmp_path: Path) -> None:
    torch.manual_seed(0)
    wide = nn.Sequential(
        nn.Conv2d(3, 32, 3), nn.ReLU(), nn.Conv2d(32, 256, 3), nn.ReLU(), nn.Conv2d(256, 256, 3), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, 4),
    )  # fmt: skip
    export(wide, SHAPE, tmp_path / "f.onnx")
    Quantise().apply(tmp_path / "f.onnx", tmp_path / "q.onnx", {}, materials())
    assert (tmp_path / "q.onnx").stat().st_size < 0.3 * (tmp_path / "f.onnx").stat().st_size


def test_calibrating_on_nothing_is_refused(graph: Path, tmp_path: Path) -> None:
    with pytest.raises(RecipeFailed, match="found none"):
        Quantise().apply(graph, tmp_path / "q.onnx", {}, materials(0))


def test_a_graph_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"not a graph")
    with pytest.raises(RecipeFailed, match="quantise"):
        Quantise().apply(tmp_path / "bad.onnx", tmp_path / "q.onnx", {}, materials())


def test_a_recipe_runs_its_steps_in_order_and_is_named_by_them(graph: Path, tmp_path: Path) -> None:
    steps = CompressSection(recipe=["quantise"]).steps()
    assert recipe_name(steps) == "int8"
    done = apply_recipe(graph, tmp_path / "q.onnx", steps, materials())
    assert [one.precision for one in done] == ["int8"]
    assert (tmp_path / "q.onnx").is_file()


def test_every_recipe_step_of_the_schema_exists_and_says_what_it_needs() -> None:
    for kind in STEPS.names():
        assert CompressStep(kind=kind).kind == kind  # type: ignore[arg-type] # the schema knows every registered step
        assert STEPS.get(kind).needs <= {"calibration", "labels", "teacher"}
        assert "20" in (type(STEPS.get(kind)).__doc__ or "")  # names its paper with a year


def timed(name: str, low: float, high: float) -> Candidate:
    cpu = Estimate((low + high) / 2, low, high, 40)
    return Candidate(
        name=name, engine="onnxruntime", recipe=({"kind": "quantise"},), precision="int8", graph="g", graph_digest="d",
        size_bytes=1, parent="onnx-fp32@onnxruntime", timing=Timing(cpu, cpu, cpu, 1, 0.0, False),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.4, 0.5, None),
        (1.2, 1.3, "dearer"),
        (0.85, 0.95, "not measurably cheaper"),
        (1.0, 1.0, "not measurably cheaper"),
    ],
)
def test_a_compressed_candidate_passes_only_when_it_was_timed_cheaper(
    low: float, high: float, word: str | None
) -> None:
    reason = dearer(timed("onnx-fp32", 0.9, 1.1), timed("int8", low, high))
    assert (reason is None) if word is None else (reason is not None and reason.startswith(word))


def test_a_candidate_that_was_not_timed_does_not_pass() -> None:
    unknown: Any = dataclasses.replace(timed("int8", 1, 1), timing=None)
    assert "not timed" in str(dearer(timed("onnx-fp32", 1, 1), unknown))


@pytest.mark.parametrize(
    ("parity", "word"),
    [
        (Parity(0.01, 0.2, 3, 500), None),
        (Parity(0.2, 0.9, 3, 500), "probabilities differ"),
        (Parity(0.01, 0.2, 40, 500), "answers on validation flipped"),
        (Parity(float("nan"), 1.0, 0, 500), "probabilities differ"),
    ],
)
def test_a_candidate_that_drifts_from_its_parent_is_turned_down_with_the_figure(
    parity: Parity, word: str | None
) -> None:
    reason = drifted(parity, CompressSection())
    assert (reason is None) if word is None else (word in str(reason))


def test_a_compressed_candidate_of_a_parent_that_could_not_be_scored_does_not_pass() -> None:
    parent, child = timed("onnx-fp32", 1, 1), timed("int8", 0.1, 0.2)
    reason = against_parent(parent, child, None, CompressSection())
    assert reason == "its parent could not be scored, so neither parity nor saving is known"
    plain = dataclasses.replace(child, recipe=())
    assert against_parent(parent, plain, None, CompressSection()) is None
    assert against_parent(parent, child, Parity(0.01, 0.2, 3, 500), CompressSection()) is None
    assert "dearer" in str(against_parent(child, parent, Parity(0.01, 0.2, 3, 500), CompressSection()))


@pytest.mark.parametrize(
    ("variants", "name"),
    [
        ({"default": ["quantise"]}, "default"),
        ({"small": ["quantise"], "plain": []}, "plain"),
        ({"small": ["quantise"], "tiny": ["quantise"]}, "float32"),
        ({"float32": ["quantise"], "default": ["quantise"]}, "float32-plain"),
    ],
)
def test_the_float32_graphs_stand_under_the_variant_without_a_recipe(variants: dict[str, Any], name: str) -> None:
    assert plain_variant({key: CompressSection(recipe=recipe) for key, recipe in variants.items()}) == name


def odds_table(odds: AnyArray) -> AnyArray:
    return np.stack([np.zeros_like(odds), odds], axis=1)


def test_a_carried_threshold_gives_the_same_answers_where_the_child_only_rescales_its_logits() -> None:
    odds = np.random.default_rng(0).normal(size=400) * 3
    parent = DecisionRule(temperature=2.0, positive="b", threshold=0.7, abstain_low=0.6, abstain_high=0.8)
    own = DecisionRule(temperature=1.3, positive="b", threshold=0.123)
    child_odds = 0.5 * odds - 0.4
    found = carry_rule(parent, odds_table(odds), own, odds_table(child_odds), 1)
    labels = ("a", "b")
    before = answers(probabilities(odds_table(odds), 2.0), labels, parent)
    after = answers(probabilities(odds_table(child_odds), 1.3), labels, found)
    assert (before == after).all()
    held = abstentions(probabilities(odds_table(odds), 2.0), labels, parent)
    assert (held == abstentions(probabilities(odds_table(child_odds), 1.3), labels, found)).all()
    assert found.temperature == 1.3


def test_a_rule_without_a_threshold_or_a_child_that_answers_backwards_keeps_its_own_rule() -> None:
    odds = np.random.default_rng(0).normal(size=50)
    own = DecisionRule(temperature=1.3, positive="b", threshold=0.4)
    parent = DecisionRule(temperature=1.0, positive="b", threshold=0.7)
    assert carry_rule(parent, odds_table(odds), own, odds_table(-odds), 1) == own
    assert carry_rule(parent, odds_table(odds * 0), own, odds_table(odds), 1) == own
    assert carry_rule(DecisionRule(), odds_table(odds), own, odds_table(odds), None) == own


def errors_of(targets: AnyArray, network_odds: AnyArray, odds: AnyArray, abstain: float = 0.0) -> tuple[float, float]:
    found = crossfitted_errors(targets, odds_table(network_odds), odds_table(odds), ("a", "b"), "b", abstain)
    return float(found.wrong.mean()), float(found.held.mean())


def test_a_child_that_only_rescales_its_logits_makes_the_same_errors() -> None:
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 2, 500)
    odds = (targets * 2 - 1) * 1.5 + rng.normal(size=500) * 1.5
    assert errors_of(targets, odds, odds) == errors_of(targets, odds, 0.5 * odds + 1)


def test_noise_in_the_child_shows_as_about_the_accuracy_it_costs() -> None:
    rng = np.random.default_rng(2)
    targets = rng.integers(0, 2, 4000)
    odds = (targets * 2 - 1) * 1.5 + rng.normal(size=4000) * 1.5
    worse = odds + rng.normal(size=4000) * 1.5  # from Phi(1) = .841 to Phi(.707) = .760
    drop = errors_of(targets, odds, worse)[0] - errors_of(targets, odds, odds)[0]
    assert drop == pytest.approx(0.081, abs=0.02)


def test_errors_are_those_of_rows_that_the_rule_was_not_fitted_on() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(30):  # scores that say nothing: a rule fitted on its own rows would look better than chance
        targets = rng.integers(0, 2, 60)
        noise = rng.normal(size=60)
        found.append(errors_of(targets, noise, noise)[0])
    assert float(np.mean(found)) == pytest.approx(0.5, abs=0.04)


def test_what_is_left_open_is_no_error_and_about_the_share_that_was_asked_for() -> None:
    rng = np.random.default_rng(4)
    targets = rng.integers(0, 2, 2000)
    odds = (targets * 2 - 1) * 1.5 + rng.normal(size=2000) * 1.5
    wrong, held = errors_of(targets, odds, odds, abstain=0.2)
    assert held == pytest.approx(0.2, abs=0.03)
    assert wrong < errors_of(targets, odds, odds)[0] - 0.05


def test_without_a_positive_label_every_row_counts_as_it_is() -> None:
    targets = np.array([0, 1, 2, 2])
    logits = np.eye(3)[[0, 1, 2, 0]] * 5
    found = crossfitted_errors(targets, logits, logits, ("a", "b", "c"), None, 0.0)
    assert found.wrong.tolist() == found.missed.tolist() == [0, 0, 0, 1]
    assert found.held.tolist() == [0, 0, 0, 0]


def test_a_wrong_label_counts_as_missed_even_where_it_is_left_open() -> None:
    rng = np.random.default_rng(4)
    targets = rng.integers(0, 2, 2000)
    odds = (targets * 2 - 1) * 1.5 + rng.normal(size=2000) * 1.5
    table = odds_table(odds)
    open_, all_ = (crossfitted_errors(targets, table, table, ("a", "b"), "b", share) for share in (0.2, 0.0))
    assert open_.wrong.mean() < all_.wrong.mean() - 0.05
    assert open_.missed.mean() == pytest.approx(all_.missed.mean(), abs=0.01)
