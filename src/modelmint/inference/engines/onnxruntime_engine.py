"""ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from modelmint.inference.engines.ports import CAM, check_batch, choose_output, float32, has_cam
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
        runtime = _runtime()
        if not graph.is_file():
            raise GraphRefused(f"expected a graph file at {graph}, found none", details={"graph": str(graph)})
        try:
            session = runtime.InferenceSession(str(graph), _options(runtime, threads), ["CPUExecutionProvider"])
        except Exception as error:  # its exceptions share no public base class
            raise GraphRefused(f"onnxruntime cannot open {graph}: {error}", details={"graph": str(graph)}) from error
        outputs = {port.name: (port.type, port.shape) for port in session.get_outputs()}
        source = session.get_inputs()[0]
        self._session: Any = session
        self._input: str = source.name
        self._shape: list[Any] = list(source.shape)
        self._dtype = _dtype(source.type)
        self._output = choose_output(outputs)
        self._has_cam = has_cam(outputs)
        self._path_only: Any = None
        if self._has_cam:  # else every run would compute the maps and throw them away
            self._path_only = runtime.RunOptions()
            self._path_only.only_execute_path_to_fetches = True

    def run(self, batch: AnyArray) -> AnyArray:
        return self._fetch(batch, self._output)

    def cam(self, batch: AnyArray) -> AnyArray | None:
        return self._fetch(batch, CAM) if self._has_cam else None

    def _fetch(self, batch: AnyArray, output: str) -> AnyArray:
        if self._session is None:
            raise RunFailed("this engine was closed; open the graph again")
        fed = check_batch(batch, self._shape, self._dtype)
        try:
            (found,) = self._session.run([output], {self._input: fed}, self._path_only)
        except Exception as error:  # its exceptions share no public base class
            if type(error).__name__ == "InvalidArgument":
                raise BatchRefused(f"the graph refused a batch of shape {list(fed.shape)}: {error}") from error
            raise RunFailed(f"onnxruntime could not run the graph: {error}") from error
        return float32(found)

    def close(self) -> None:
        self._session = None


def open_onnxruntime(graph: Path, threads: int) -> OnnxRuntimeEngine:
    """Open an ONNX file; raises ``EngineUnavailable`` or ``GraphRefused``."""
    return OnnxRuntimeEngine(graph, threads)


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
