"""Class-activation maps in a graph: where it ends in a global average and one linear layer, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra 'workshop'")

from modelmint.inference.engines.pruned import without_maps  # noqa: E402
from modelmint.inference.engines.registry import ENGINES, available  # noqa: E402
from modelmint.workshop.compression.cam import add_cam  # noqa: E402

GENERATOR = np.random.default_rng(0)
HEAD = GENERATOR.normal(size=(5, 3)).astype(np.float32)


def network(
    side: int = 7, *, pool: str = "mean", turned: bool = False, ending: str = "gemm", between: str | None = None
) -> Any:
    """[n, 2, side, side] -> convolution -> pooling -> linear, written in one of the ways exporters write it."""
    make, arrays = onnx.helper.make_node, {"k": GENERATOR.normal(size=(5, 2, 1, 1)).astype(np.float32)}
    nodes = [make("Conv", ["x", "k"], ["c"]), make("Relu", ["c"], ["f"])]
    if pool == "mean":
        arrays["axes"] = np.array([-2, -1])
        nodes.append(make("ReduceMean", ["f", "axes"], ["p"], keepdims=0))
    elif pool == "global":
        nodes += [make("GlobalAveragePool", ["f"], ["g"]), make("Flatten", ["g"], ["p"])]
    else:  # the largest, not the mean
        nodes += [make("GlobalMaxPool", ["f"], ["g"]), make("Flatten", ["g"], ["p"])]
    if between:
        nodes.append(make(between, ["p"], ["h"]))
    source = "h" if between else "p"
    arrays |= {"w": HEAD.T.copy() if turned else HEAD, "b": np.array([1.0, -2.0, 0.5], dtype=np.float32)}
    if ending == "gemm":
        nodes.append(make("Gemm", [source, "w", "b"], ["logits"], transB=int(turned)))
    else:
        nodes += [make("MatMul", [source, "w"], ["m"]), make("Add", ["m", "b"], ["logits"])]
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [value("x", 1, ["n", 2, side, side])],
        [value("logits", 1, ["n", 3])],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize(
    "form",
    [{}, {"pool": "global"}, {"turned": True}, {"ending": "add"}, {"side": 12}, {"between": "Identity"}],
    ids=["mean", "global-pool", "turned", "add", "larger", "identity"],
)
@pytest.mark.parametrize("engine_name", available())
def test_the_mean_of_a_map_is_the_logit_less_the_bias_and_the_logits_stay(
    form: dict[str, Any], engine_name: str, tmp_path: Path
) -> None:
    model = network(**form)
    plain, mapped = tmp_path / "plain.onnx", tmp_path / "mapped.onnx"
    onnx.save(model, plain)
    assert add_cam(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, mapped)
    side = form.get("side", 7)
    pictures = GENERATOR.normal(size=(4, 2, side, side)).astype(np.float32)
    engine = ENGINES.get(engine_name)(mapped, 1)
    maps = engine.cam(pictures)
    assert maps is not None
    assert maps.shape == (4, 3, side, side)
    logits = engine.run(pictures)
    np.testing.assert_allclose(maps.mean(axis=(2, 3)) + np.array([1.0, -2.0, 0.5]), logits, atol=1e-5)
    np.testing.assert_array_equal(logits, ENGINES.get(engine_name)(plain, 1).run(pictures))


@pytest.mark.parametrize(
    "form",
    [{"side": 6}, {"pool": "max"}, {"between": "Relu"}],
    ids=["too-coarse", "largest-not-mean", "hidden-layer"],
)
def test_another_ending_is_left_as_it_is(form: dict[str, Any]) -> None:
    model = network(**form)
    before = model.SerializeToString(deterministic=True)
    assert not add_cam(model)
    assert model.SerializeToString(deterministic=True) == before


def test_a_graph_that_has_maps_already_gets_no_second_ones() -> None:
    model = network()
    assert add_cam(model)
    assert not add_cam(model)


def test_without_its_maps_the_graph_is_the_one_it_was(tmp_path: Path) -> None:
    model = network()
    plain = [node.SerializeToString() for node in model.graph.node]
    assert add_cam(model)
    onnx.save(model, tmp_path / "mapped.onnx")
    content = without_maps(tmp_path / "mapped.onnx")
    assert content is not None
    found = onnx.load_from_string(content)
    onnx.checker.check_model(found, full_check=True)
    assert [node.SerializeToString() for node in found.graph.node] == plain
    assert [output.name for output in found.graph.output] == ["logits"]
    assert found.opset_import == model.opset_import


def test_files_without_maps_and_files_that_are_no_graphs_are_left_to_whoever_opens_them(tmp_path: Path) -> None:
    onnx.save(network(), tmp_path / "plain.onnx")
    assert without_maps(tmp_path / "plain.onnx") is None
    whole = (tmp_path / "plain.onnx").read_bytes()
    for content in (b"", b"no graph", whole[: len(whole) // 2], b"\xff" * 64, bytes(64)):
        (tmp_path / "odd.onnx").write_bytes(content)
        assert without_maps(tmp_path / "odd.onnx") is None
    assert without_maps(tmp_path / "none.onnx") is None
