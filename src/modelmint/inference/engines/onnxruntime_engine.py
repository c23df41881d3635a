"""ONNX Runtime on the CPU."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from modelmint.inference.engines.ports import CAM, check_batch, choose_output, float32, has_cam
from modelmint.inference.engines.pruned import without_maps
from modelmint.inference.errors import BatchRefused, EngineUnavailable, GraphRefused, RunFailed
from modelmint.kit.arrays import AnyArray

NAME = "onnxruntime"


class OnnxRuntimeEngine:
    """One session; ONNX Runtime lets several threads run it at once.

    Threads do not spin while they wait: a spinning thread burns CPU that no call asked for, which would make
    the CPU milliseconds of a call a lie and steal cores from encoding and the server.
    """

    name = NAME

    def __init__(self, graph: Path, threads: int) -> None:
        if not graph.is_file():
            raise GraphRefused(f"expected a graph file at {graph}, found none", details={"graph": str(graph)})
        self._graph, self._threads = graph, threads
        lighter = without_maps(graph)
        try:
            session = _opened(graph, lighter, threads)
        except GraphRefused:  # somebody else's nodes may bear the names of ours
            if lighter is None:
                raise
            session = _opened(graph, None, threads)
        source = session.get_inputs()[0]
        self._session: Any = session
        self._input: str = source.name
        self._shape: list[Any] = list(source.shape)
        self._dtype = _dtype(source.type)
        self._output = choose_output(_outputs(session))
        self._has_cam = lighter is not None
        self._mapping: Any = None  # the whole graph, opened when its maps are first asked for
        self._mapping_lock = threading.Lock()

    def run(self, batch: AnyArray) -> AnyArray:
        fed = self._checked(batch)
        return _run(self._session, self._output, self._input, fed)

    def cam(self, batch: AnyArray) -> AnyArray | None:
        if not self._has_cam:
            return None
        fed = self._checked(batch)
        with self._mapping_lock:
            if self._mapping is None:
                self._mapping = _opened(self._graph, None, self._threads)
                self._has_cam = has_cam(_outputs(self._mapping))
        return _run(self._mapping, CAM, self._input, fed) if self._has_cam else None

    def _checked(self, batch: AnyArray) -> AnyArray:
        if self._session is None:
            raise RunFailed("this engine was closed; open the graph again")
        return check_batch(batch, self._shape, self._dtype)

    def close(self) -> None:
        self._session = self._mapping = None


def open_onnxruntime(graph: Path, threads: int) -> OnnxRuntimeEngine:
    """Open an ONNX file; raises ``EngineUnavailable`` or ``GraphRefused``."""
    return OnnxRuntimeEngine(graph, threads)


def _opened(graph: Path, content: bytes | None, threads: int) -> Any:
    """A session over ``content``, or over the file itself."""
    runtime = _runtime()
    try:
        return runtime.InferenceSession(content or str(graph), _options(runtime, threads), ["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no public base class
        raise GraphRefused(f"onnxruntime cannot open {graph}: {error}", details={"graph": str(graph)}) from error


def _outputs(session: Any) -> dict[str, tuple[str, list[Any]]]:
    return {port.name: (port.type, port.shape) for port in session.get_outputs()}


def _run(session: Any, output: str, source: str, fed: AnyArray) -> AnyArray:
    try:
        (found,) = session.run([output], {source: fed})
    except Exception as error:  # its exceptions share no public base class
        if type(error).__name__ == "InvalidArgument":
            raise BatchRefused(f"the graph refused a batch of shape {list(fed.shape)}: {error}") from error
        raise RunFailed(f"onnxruntime could not run the graph: {error}") from error
    return float32(found)


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise EngineUnavailable(f"onnxruntime cannot be loaded: {error}. Do: pip install onnxruntime") from error
    return onnxruntime


def _options(runtime: Any, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = max(1, threads)
    options.inter_op_num_threads = 1
    options.execution_mode = runtime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _dtype(name: str) -> np.dtype[Any]:
    names = {"tensor(float)": "f4", "tensor(double)": "f8", "tensor(float16)": "f2", "tensor(uint8)": "u1"}
    names |= {"tensor(int8)": "i1", "tensor(int32)": "i4", "tensor(int64)": "i8"}
    if name not in names:
        raise GraphRefused(f"expected an input of numbers, found {name}")
    return np.dtype(names[name])
