"""Conformance of every registered engine that is installed here."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from modelmint.inference.engines.registry import ENGINES, available
from modelmint.inference.errors import BatchRefused, EngineUnavailable, GraphRefused, RunFailed
from modelmint.kit.arrays import AnyArray

onnx = pytest.importorskip("onnx", reason="needs the extra 'workshop' to write graphs")

WEIGHTS = np.random.default_rng(5).normal(size=(12, 3)).astype(np.float32)


def write(
    path: Path,
    nodes: list[Any],
    outputs: dict[str, tuple[int, list[Any]]],
    sides: list[Any],
    kind: int = 1,
    **arrays: AnyArray,
) -> Path:
    """A graph from input ``x`` (element type ``kind``, float32 by default)."""
    make = onnx.helper
    graph = make.make_graph(
        nodes,
        "g",
        [make.make_tensor_value_info("x", kind, sides)],
        [make.make_tensor_value_info(name, t, shape) for name, (t, shape) in outputs.items()],
        [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8), path)
    return path


def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(kind, inputs, [output], **attributes)


@pytest.fixture
def linear(tmp_path: Path) -> Path:
    """[n, 3, 2, 2] to x @ WEIGHTS, with other outputs before and after the one that counts."""
    nodes = [
        node("Flatten", ["x"], "flat"),
        node("MatMul", ["flat", "w"], "logits"),
        node("ArgMax", ["logits"], "label", axis=1, keepdims=0),
        node("Softmax", ["logits"], "shares", axis=1),
    ]
    outputs = {"label": (7, ["n"]), "shares": (1, ["n", 3]), "logits": (1, ["n", 3])}
    return write(tmp_path / "linear.onnx", nodes, outputs, ["n", 3, 2, 2], w=WEIGHTS)


@pytest.fixture(params=available())
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def batch(n: int, seed: int = 0) -> AnyArray:
    return np.random.default_rng(seed).normal(size=(n, 3, 2, 2)).astype(np.float32)


def test_onnxruntime_is_always_there() -> None:
    assert "onnxruntime" in available()
    assert set(available()) <= set(ENGINES.names())


def test_outputs_are_float32_logits_for_any_batch(engine_name: str, linear: Path) -> None:
    engine = ENGINES.get(engine_name)(linear, 1)
    assert engine.name == engine_name
    for n in (1, 2, 64, 3):
        found = engine.run(batch(n))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, batch(n).reshape(n, 12) @ WEIGHTS, rtol=1e-4, atol=1e-5)


def test_an_answer_stays_after_the_next_run(engine_name: str, linear: Path) -> None:
    engine = ENGINES.get(engine_name)(linear, 1)
    first = engine.run(batch(4))
    kept = first.copy()
    engine.run(batch(4, seed=1))
    assert np.array_equal(first, kept)


def test_rows_do_not_depend_on_their_neighbours(engine_name: str, linear: Path) -> None:
    engine = ENGINES.get(engine_name)(linear, 2)
    together = engine.run(batch(64))
    alone = np.concatenate([engine.run(row[None]) for row in batch(64)])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


def test_several_threads_may_run_it_at_once(engine_name: str, linear: Path) -> None:
    engine = ENGINES.get(engine_name)(linear, 1)

    def one(seed: int) -> float:
        found = engine.run(batch(5, seed))
        return float(np.abs(found - batch(5, seed).reshape(5, 12) @ WEIGHTS).max())

    with ThreadPoolExecutor(6) as pool:
        assert max(pool.map(one, range(120))) < 1e-4


def test_other_layouts_and_number_types_are_taken_as_they_are_meant(engine_name: str, linear: Path) -> None:
    engine = ENGINES.get(engine_name)(linear, 1)
    wanted = engine.run(batch(6))
    strided = np.asfortranarray(batch(6))
    np.testing.assert_allclose(engine.run(strided), wanted, atol=1e-6)
    np.testing.assert_allclose(engine.run(batch(6).astype(np.float64)), wanted, atol=1e-6)


def test_a_graph_of_bytes_is_fed_bytes(engine_name: str, tmp_path: Path) -> None:
    nodes = [node("Cast", ["x"], "f", to=1), node("ReduceMean", ["f"], "m", axes=[2, 3], keepdims=0)]
    path = write(tmp_path / "bytes.onnx", nodes, {"m": (1, ["n", 3])}, ["n", 3, 2, 2], kind=2)
    found = ENGINES.get(engine_name)(path, 1).run(np.full((2, 3, 2, 2), 200, dtype=np.uint8))
    assert found.tolist() == [[200.0] * 3] * 2


@pytest.mark.parametrize("shape", [(2, 1, 2, 2), (2, 3, 2), (3, 2, 2), (2, 3, 4, 4)])
def test_a_batch_of_another_shape_is_refused(engine_name: str, linear: Path, shape: tuple[int, ...]) -> None:
    engine = ENGINES.get(engine_name)(linear, 1)
    with pytest.raises(BatchRefused, match=r"expected a batch of shape \['any', 3, 2, 2\]"):
        engine.run(np.zeros(shape, dtype=np.float32))
    assert engine.run(batch(1)).shape == (1, 3)  # and works on


def test_a_graph_that_does_not_exist_is_refused(engine_name: str, tmp_path: Path) -> None:
    with pytest.raises(GraphRefused, match=r"none\.onnx"):
        ENGINES.get(engine_name)(tmp_path / "none.onnx", 1)


def test_a_damaged_graph_is_refused(engine_name: str, linear: Path) -> None:
    linear.write_bytes(linear.read_bytes()[: linear.stat().st_size // 2])
    with pytest.raises(GraphRefused):
        ENGINES.get(engine_name)(linear, 1)


def test_a_graph_with_an_unknown_operator_is_refused(engine_name: str, tmp_path: Path) -> None:
    nodes = [node("Frobnicate", ["x"], "logits", domain="nowhere")]
    path = write(tmp_path / "odd.onnx", nodes, {"logits": (1, ["n", 3])}, ["n", 3])
    with pytest.raises(GraphRefused):
        ENGINES.get(engine_name)(path, 1)


def test_a_closed_engine_says_so(engine_name: str, linear: Path) -> None:
    engine = ENGINES.get(engine_name)(linear, 1)
    engine.run(batch(1))
    engine.close()
    engine.close()
    with pytest.raises(RunFailed, match="closed"):
        engine.run(batch(1))


def test_an_idle_engine_burns_no_cpu_time(engine_name: str, linear: Path) -> None:
    process = psutil.Process()
    others = {thread.id for thread in process.threads()}
    engine = ENGINES.get(engine_name)(linear, 2)
    for _ in range(20):
        engine.run(batch(64))

    def spent() -> float:
        """By its own threads."""
        return sum(one.user_time + one.system_time for one in process.threads() if one.id not in others)

    found = []
    for _ in range(20):  # threads that spin do so all the time, others come to rest
        before = spent()
        time.sleep(0.5)
        found.append(spent() - before)
        if found[-1] < 0.1:
            return
    pytest.fail(f"seconds of CPU in each half second: {found}")


def test_a_missing_library_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch, linear: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(EngineUnavailable, match=r"modelmint\[openvino\]"):
        ENGINES.get("openvino")(linear, 1)


@pytest.fixture
def mapped(tmp_path: Path) -> Path:
    """[n, 3, 8, 8] to the mean over all places of a 1x1 convolution, with its maps as a second output."""
    nodes = [
        node("Conv", ["x", "kernel"], "f"),
        node("ReduceMean", ["f"], "m", axes=[2, 3], keepdims=0),
        node("Gemm", ["m", "head"], "logits"),
        node("Transpose", ["head"], "turned", perm=[1, 0]),
        node("Reshape", ["f", "rows"], "places"),
        node("MatMul", ["turned", "places"], "flat"),
        node("Reshape", ["flat", "back"], "cam"),
    ]
    outputs = {"logits": (1, ["n", 2]), "cam": (1, ["n", 2, 8, 8])}
    return write(
        tmp_path / "mapped.onnx",
        nodes,
        outputs,
        ["n", 3, 8, 8],
        kernel=np.random.default_rng(1).normal(size=(4, 3, 1, 1)).astype(np.float32),
        head=np.random.default_rng(2).normal(size=(4, 2)).astype(np.float32),
        rows=np.array([0, 4, 64]),
        back=np.array([0, 2, 8, 8]),
    )


def test_a_graph_with_class_activation_maps_gives_them_when_asked(engine_name: str, mapped: Path) -> None:
    engine = ENGINES.get(engine_name)(mapped, 1)
    for n in (1, 5, 2):
        pictures = np.random.default_rng(n).normal(size=(n, 3, 8, 8)).astype(np.float32)
        logits, maps = engine.run(pictures), engine.cam(pictures)
        assert maps is not None
        assert (maps.shape, maps.dtype) == ((n, 2, 8, 8), np.float32)
        np.testing.assert_allclose(maps.mean(axis=(2, 3)), logits, atol=1e-5)
        np.testing.assert_array_equal(engine.run(pictures), logits)
    with pytest.raises(BatchRefused):
        engine.cam(np.zeros((1, 3, 4, 4), dtype=np.float32))
    engine.close()
    with pytest.raises(RunFailed, match="closed"):
        engine.cam(pictures)


def test_maps_may_be_asked_for_from_several_threads_while_others_run(engine_name: str, mapped: Path) -> None:
    engine = ENGINES.get(engine_name)(mapped, 1)

    def one(seed: int) -> float:
        pictures = np.random.default_rng(seed).normal(size=(3, 3, 8, 8)).astype(np.float32)
        maps = engine.cam(pictures)
        assert maps is not None
        return float(np.abs(maps.mean(axis=(2, 3)) - engine.run(pictures)).max())

    with ThreadPoolExecutor(6) as pool:
        assert max(pool.map(one, range(60))) < 1e-4


def test_a_graph_without_maps_gives_none(engine_name: str, linear: Path) -> None:
    assert ENGINES.get(engine_name)(linear, 1).cam(batch(2)) is None


def test_an_output_called_cam_that_is_no_map_is_none(engine_name: str, tmp_path: Path) -> None:
    nodes = [node("Flatten", ["x"], "cam"), node("MatMul", ["cam", "w"], "logits")]
    outputs = {"cam": (1, ["n", 12]), "logits": (1, ["n", 3])}
    path = write(tmp_path / "odd.onnx", nodes, outputs, ["n", 3, 2, 2], w=WEIGHTS)
    engine = ENGINES.get(engine_name)(path, 1)
    assert engine.cam(batch(2)) is None
    assert engine.run(batch(2)).shape == (2, 3)
