"""Health, server and model metadata: what a client asks before it infers. Nothing here is paid."""

from __future__ import annotations

from typing import Any

from starlette.routing import Route

from modelmint.api.health import live, ready
from modelmint.api.routing import Asked, Handler, JsonRoute, Reply
from modelmint.api.service import Service
from modelmint.api.v2.errors import UnknownVersion
from modelmint.api.v2.problems import error_of, in_protocol
from modelmint.api.v2.signature import signature_of, version_of
from modelmint.api.v2.tensors import BYTES
from modelmint.api.v2.types import TensorMeta
from modelmint.kit.version import __version__
from modelmint.serving.lane import Lane

#: What of Triton's protocol is spoken beyond the common one.
EXTENSIONS = ("binary_tensor_data", "classification", "model_configuration", "model_repository")
_MODEL = "/v2/models/{model}"
_VERSION = _MODEL + "/versions/{version}"


def model_routes(service: Service) -> list[Route]:
    """All of them."""
    free = {"/v2/health/live": server_live, "/v2/health/ready": server_ready}
    free |= {_MODEL + "/ready": model_ready, _VERSION + "/ready": model_ready}
    told = {"/v2": server, _MODEL: model, _VERSION: model, _MODEL + "/config": config, _VERSION + "/config": config}
    return [
        *(_route(service, path, "GET", handler, free=True) for path, handler in free.items()),
        *(_route(service, path, "GET", handler) for path, handler in told.items()),
        _route(service, "/v2/repository/index", "POST", index),
    ]


def _route(service: Service, path: str, method: str, handler: Handler, *, free: bool = False) -> Route:
    endpoint = JsonRoute(service, "anyone", {method: handler}, free=free, told=error_of)
    return Route(path, endpoint=endpoint, methods=[method])


def served(asked: Asked) -> tuple[str, Lane]:
    """The model of the path; raises ``NotServed``, ``UnknownVersion``."""
    name = asked.path["model"]
    lane = asked.service.host.lane(name)
    check_version(name, lane, asked.path.get("version"))
    return name, lane


def check_version(name: str, lane: Lane, version: str | None) -> None:
    """Raises ``UnknownVersion`` where another one is asked for than the one that is served; the whole id will do."""
    known = version_of(lane.release)
    if version not in (None, known, lane.release):
        raise UnknownVersion(
            f"expected version {known!r} of {name!r}, the release that is served; found {str(version)[:64]!r}"
        )


def server_live(asked: Asked) -> Any:
    """The process answers."""
    live(asked)
    return {"live": True}


def server_ready(asked: Asked) -> Any:
    """As ``/healthz/ready``."""
    found = ready(asked)
    if isinstance(found, Reply):
        status, headers, body = in_protocol(found.status, found.headers, found.content)
        return Reply(body, status, headers)
    return {"ready": True}


def server(_: Asked) -> Any:
    """Name, version and extensions."""
    return {"name": "modelmint", "version": __version__, "extensions": list(EXTENSIONS)}


def model_ready(asked: Asked) -> Any:
    """The model is loaded, warm, and served."""
    name, _ = served(asked)
    return {"name": name, "ready": True}


def model(asked: Asked) -> Any:
    """What goes in and what comes out. A version is the first 12 digits of the release's id."""
    name, lane = served(asked)
    signature = signature_of(name, lane)
    return {
        "name": name,
        "versions": [signature.version],
        "platform": _platform(lane),
        "inputs": [_meta(one) for one in signature.inputs],
        "outputs": [_meta(one) for one in signature.outputs.values()],
        "parameters": {
            "task": lane.spec.task,
            "labels": list(signature.labels),
            "release": lane.release,
            "variant": lane.variant,
            "use": lane.use,
            "max_items": asked.service.limits.max_items,
            "max_body_bytes": asked.service.shop.max_body,
        },
    }


def config(asked: Asked) -> Any:
    """The same as Triton's model configuration: whole shapes, hence ``max_batch_size`` 0; one input is enough."""
    name, lane = served(asked)
    signature = signature_of(name, lane)
    return {
        "name": name,
        "platform": _platform(lane),
        "backend": lane.engine.name,
        "max_batch_size": 0,
        "input": [{**_configured(one), "optional": True} for one in signature.inputs],
        "output": [_configured(one) for one in signature.outputs.values()],
    }


def index(asked: Asked) -> Any:
    """What is served, and what should be and cannot be loaded."""
    lanes = {name: lane for name, (_, lane) in asked.service.host.serving().items()}
    failures = asked.service.follower.failures
    return [
        *(
            {"name": name, "version": version_of(lane.release), "state": "READY", "reason": ""}
            for name, lane in sorted(lanes.items())
        ),
        *(
            {"name": name, "version": "", "state": "UNAVAILABLE", "reason": error.code}
            for name, error in sorted(failures.items())
            if name not in lanes
        ),
    ]


def _platform(lane: Lane) -> str:
    return f"{lane.engine.name}_onnx"


def _meta(tensor: TensorMeta) -> dict[str, Any]:
    return {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}


def _configured(tensor: TensorMeta) -> dict[str, Any]:
    kind = "STRING" if tensor.datatype == BYTES else tensor.datatype
    return {"name": tensor.name, "data_type": f"TYPE_{kind}", "dims": list(tensor.shape)}
