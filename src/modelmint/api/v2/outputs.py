"""An answer as output tensors, and as the bytes of a response: JSON, then what is binary."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelmint.api.v2.errors import BadTensor
from modelmint.api.v2.signature import (
    ABSTAINED,
    LABEL,
    LOGITS,
    PREDICTION,
    PROBABILITIES,
    PROBABILITY,
    Signature,
)
from modelmint.api.v2.tensors import BYTES, to_binary, to_json
from modelmint.api.v2.types import InferRequest, OutputTensor, WantedOutput
from modelmint.kit.arrays import AnyArray
from modelmint.kit.registry import nearest
from modelmint.operations.predict import Composed  # noqa
from modelmint.tasks.answers import ids_of

#: Bytes of the JSON, before it: how a response stands in the books, so that a retry gets the same one.
_FRAME = struct.Struct("<I")
#: Outputs of which the highest values can be asked for.
_RANKED = (PROBABILITIES, LOGITS)


def chosen(request: InferRequest, signature: Signature) -> tuple[WantedOutput, ...]:
    """What to answer: the outputs asked for in their order, else all; raises ``BadTensor`` with every problem."""
    if request.outputs is None:
        return tuple(WantedOutput(name) for name in signature.outputs)
    problems = []
    for output in request.outputs:
        if output.name not in signature.outputs:
            close = nearest(output.name, list(signature.outputs))
            problems.append(
                f"no output {output.name[:64]!r}"
                + (f"; did you mean {close!r}?" if close else f"; there are {', '.join(signature.outputs)}")
            )
        elif output.classification and output.name not in _RANKED:
            problems.append(f"classification is for {' and '.join(_RANKED)}, not for {output.name!r}")
    if problems:
        raise BadTensor("the outputs asked for cannot be given", problems=problems)
    return request.outputs


def composed(
    request: InferRequest, wanted: Sequence[WantedOutput], signature: Signature, answered: Composed
) -> bytes:
    """The response, framed: length of the JSON in 4 bytes, the JSON, the binary tensors."""
    tensors = [_output(one, request, signature, answered) for one in wanted]
    answer, admitted = answered.answer, answered.admitted
    parameters = {
        "prediction": answered.prediction,
        "release": answer.release,
        "variant": answer.variant,
        "compute_ms": answer.compute_ms,
        "use": answer.use,
        "plan": admitted.plan,
        # Parameters are texts, numbers and booleans: where the plan has no limit, nothing is said.
        **({} if admitted.remaining is None else {"remaining": admitted.remaining}),
    }
    content: dict[str, Any] = {
        "model_name": signature.model,
        "model_version": signature.version,
        **({} if request.id is None else {"id": request.id}),
        "parameters": parameters,
        "outputs": [],
    }
    binary = []
    for tensor in tensors:
        told: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
        if tensor.binary:
            binary.append(to_binary(tensor.datatype, tensor.values))
            told["parameters"] = {"binary_data_size": len(binary[-1])}
        else:
            told["data"] = to_json(tensor.datatype, tensor.values)
        content["outputs"].append(told)
    head = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return b"".join([_FRAME.pack(len(head)), head, *binary])


def unframed(stored: bytes) -> tuple[int | None, bytes]:
    """Length of the JSON, None where nothing follows it, and the body to send."""
    (length,) = _FRAME.unpack_from(stored)
    body = stored[_FRAME.size :]
    return (None if len(body) == length else length), body


def _output(wanted: WantedOutput, request: InferRequest, signature: Signature, answered: Composed) -> OutputTensor:
    values = _values(wanted.name, answered)
    datatype = signature.outputs[wanted.name].datatype
    if wanted.classification:
        values, datatype = _ranked(np.asarray(values), wanted.classification, signature.labels), BYTES
        shape: tuple[int, ...] = (len(answered.answer.predictions), min(wanted.classification, len(signature.labels)))
    else:
        shape = (len(values),) if isinstance(values, tuple) else values.shape
    binary = request.binary if wanted.binary is None else wanted.binary
    return OutputTensor(wanted.name, datatype, shape, values, binary)


def _values(name: str, answered: Composed) -> AnyArray | tuple[bytes, ...]:
    predictions = answered.answer.predictions
    if name == LABEL:
        return tuple(one.label.encode() for one in predictions)
    if name == PREDICTION:
        return tuple(identity.encode() for identity in ids_of(answered.prediction, len(predictions)))
    if name == PROBABILITY:
        return np.array([one.probability for one in predictions], dtype=np.float64)
    if name == PROBABILITIES:
        return np.array([one.probabilities for one in predictions], dtype=np.float64)
    if name == ABSTAINED:
        return np.array([one.abstained for one in predictions], dtype=np.bool_)
    assert name == LOGITS and answered.answer.outputs is not None  # noqa: S101, PT018 - asked for with the call
    return np.asarray(answered.answer.outputs, dtype=np.float32)


def _ranked(values: AnyArray, most: int, labels: Sequence[str]) -> tuple[bytes, ...]:
    """The highest ``most`` values of each row as ``value:index:label`` (Triton's classification extension)."""
    order = np.argsort(-values, axis=1, kind="stable")[:, :most]
    return tuple(
        f"{row[index].item()!r}:{index}:{labels[index]}".encode()
        for row, indices in zip(values, order.tolist(), strict=True)
        for index in indices
    )

