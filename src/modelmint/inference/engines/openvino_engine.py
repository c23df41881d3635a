"""OpenVINO on the CPU; the optional extra ``openvino``."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from modelmint.inference.engines.ports import CAM, check_batch, choose_output, has_cam
from modelmint.inference.errors import BatchRefused, EngineUnavailable, GraphRefused, RunFailed
from modelmint.kit.arrays import AnyArray

NAME = "openvino"


class OpenVinoEngine:
    """One compiled model; each calling thread has its own inference request.

    Floats stay float32 even where the machine could use bfloat16, so that a release scores the same on every
    machine. Threads are not pinned: several engines and the server share the cores.
    """

    name = NAME

    def __init__(self, graph: Path, threads: int) -> None:
        openvino = _openvino()
        if not graph.is_file():
            raise GraphRefused(f"expected a graph file at {graph}, found none", details={"graph": str(graph)})
        self._graph, self._settings = graph, _settings(threads)
        try:
            self._core: Any = openvino.Core()
            model = self._core.read_model(str(graph))
            ports = {port.get_any_name(): port for port in model.outputs}
            described = {name: (_kind(port), list(port.get_partial_shape())) for name, port in ports.items()}
            self._has_cam = has_cam(described)
            if self._has_cam:  # OpenVINO always computes every output
                model.remove_result(ports.pop(CAM).get_node())
            self._compiled: Any = self._core.compile_model(model, "CPU", self._settings)
        except Exception as error:  # it raises bare RuntimeErrors
            raise GraphRefused(f"openvino cannot open {graph}: {error}", details={"graph": str(graph)}) from error
        source = self._compiled.inputs[0]
        self._shape = [None if side.is_dynamic else side.get_length() for side in source.get_partial_shape()]
        self._dtype = np.dtype(source.get_element_type().to_dtype())
        self._output = list(ports).index(choose_output({name: described[name] for name in ports}))
        self._local = threading.local()
        self._mapping: Any = None  # the same graph with its maps alone, compiled when they are first asked for
        self._mapping_lock = threading.Lock()

    def run(self, batch: AnyArray) -> AnyArray:
        fed = self._checked(batch)
        request = getattr(self._local, "request", None)
        try:
            if request is None:
                request = self._local.request = self._compiled.create_infer_request()
            return _answer(request, fed, self._output)
        except Exception as error:  # it raises bare RuntimeErrors
            raise _failed(error, fed) from error

    def cam(self, batch: AnyArray) -> AnyArray | None:
        if not self._has_cam:
            return None
        fed = self._checked(batch)
        try:
            with self._mapping_lock:
                self._mapping = self._mapping or self._compiled_maps()
            return _answer(self._mapping.create_infer_request(), fed, 0)
        except Exception as error:  # it raises bare RuntimeErrors
            raise _failed(error, fed) from error

    def _compiled_maps(self) -> Any:
        model = self._core.read_model(str(self._graph))
        for port in model.outputs:
            if port.get_any_name() != CAM:
                model.remove_result(port.get_node())
        return self._core.compile_model(model, "CPU", self._settings)

    def _checked(self, batch: AnyArray) -> AnyArray:
        if self._compiled is None:
            raise RunFailed("this engine was closed; open the graph again")
        return check_batch(batch, self._shape, self._dtype)

    def close(self) -> None:
        self._compiled = self._mapping = None
        self._local = threading.local()


def open_openvino(graph: Path, threads: int) -> OpenVinoEngine:
    """Open an ONNX file with OpenVINO; raises ``EngineUnavailable`` or ``GraphRefused``."""
    return OpenVinoEngine(graph, threads)


def _openvino() -> Any:
    try:
        import openvino
    except ImportError as error:
        message = f'openvino cannot be loaded: {error}. Do: pip install "modelmint[openvino]"'
        raise EngineUnavailable(message, details={"extra": "openvino"}) from error
    return openvino


def _settings(threads: int) -> dict[str, Any]:
    return {
        "INFERENCE_NUM_THREADS": max(1, threads),
        "NUM_STREAMS": 1,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "ENABLE_CPU_PINNING": False,
    }


def _answer(request: Any, fed: AnyArray, output: int) -> AnyArray:
    request.infer([fed], share_inputs=True)
    found = request.get_output_tensor(output).data
    return np.array(found, dtype=np.float32)  # a copy: the request writes its next answer in the same place


def _failed(error: Exception, fed: AnyArray) -> BatchRefused | RunFailed:
    if "shape" in str(error).lower():
        return BatchRefused(f"the graph refused a batch of shape {list(fed.shape)}: {error}")
    return RunFailed(f"openvino could not run the graph: {error}")


def _kind(port: Any) -> str:
    name = port.get_element_type().get_type_name()
    return "tensor(float)" if name.startswith(("f", "bf")) else f"tensor({name})"
