"""The engines there are, and which of them work here."""

from __future__ import annotations

import importlib.util

from modelmint.inference.engines import onnxruntime_engine, openvino_engine
from modelmint.inference.types import EngineFactory
from modelmint.kit.registry import Registry

ENGINES: Registry[EngineFactory] = Registry(
    "engine",
    {
        onnxruntime_engine.NAME: onnxruntime_engine.open_onnxruntime,
        openvino_engine.NAME: openvino_engine.open_openvino,
    },
)

#: Library that a built-in engine needs; plugins and engines registered at run time bring their own.
_LIBRARIES = {onnxruntime_engine.NAME: "onnxruntime", openvino_engine.NAME: "openvino"}


def available() -> list[str]:
    """Names of the engines whose library is installed, sorted; nothing is loaded for the answer."""
    return [name for name in ENGINES.names() if importlib.util.find_spec(_LIBRARIES.get(name, "sys")) is not None]
