"""OpenVINO on the CPU; the optional extra ``openvino``."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from modelmint.inference.engines.ports import check_batch, choose_output
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
        settings = {
            "INFERENCE_NUM_THREADS": max(1, threads),
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
            "ENABLE_CPU_PINNING": False,
        }
        try:
            core = openvino.Core()
            self._compiled: Any = core.compile_model(core.read_model(str(graph)), "CPU", settings)
        except Exception as error:  # it raises bare RuntimeErrors
            raise GraphRefused(f"openvino cannot open {graph}: {error}", details={"graph": str(graph)}) from error
        source = self._compiled.inputs[0]
        self._shape = [None if side.is_dynamic else side.get_length() for side in source.get_partial_shape()]
        self._dtype = np.dtype(source.get_element_type().to_dtype())
        ports = {port.get_any_name(): port for port in self._compiled.outputs}
        described = {name: (_kind(port), list(port.get_partial_shape())) for name, port in ports.items()}
        chosen = choose_output(described)
        self._output = list(ports).index(chosen)
        self._local = threading.local()

    def run(self, batch: AnyArray) -> AnyArray:
        if self._compiled is None:
            raise RunFailed("this engine was closed; open the graph again")
        fed = check_batch(batch, self._shape, self._dtype)
        request = getattr(self._local, "request", None)
        try:
            if request is None:
                request = self._local.request = self._compiled.create_infer_request()
            request.infer([fed], share_inputs=True)
            found = request.get_output_tensor(self._output).data
        except Exception as error:  # it raises bare RuntimeErrors
            if "shape" in str(error).lower():
                raise BatchRefused(f"the graph refused a batch of shape {list(fed.shape)}: {error}") from error
            raise RunFailed(f"openvino could not run the graph: {error}") from error
        return np.array(found, dtype=np.float32)  # a copy: the request writes its next answer in the same place

    def close(self) -> None:
        self._compiled = None
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


def _kind(port: Any) -> str:
    name = port.get_element_type().get_type_name()
    return "tensor(float)" if name.startswith(("f", "bf")) else f"tensor({name})"
