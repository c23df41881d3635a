"""An answer as output tensors, and as the bytes of a response: JSON, then what is binary."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from modelmint.api.v2.errors import BadInferRequest
from modelmint.api.v2.signature import (
    ABSTAINED,
    EXPLAINED,
    EXPLANATION,
    EXPLANATION_PNG,
    LABEL,
    LOGITS,
    PREDICTION,
    PROBABILITIES,
    PROBABILITY,
    Signature,
    version_of,
)
from modelmint.api.v2.tensors import BYTES, DTYPES, to_binary, to_json
from modelmint.api.v2.types import InferRequest, OutputTensor, WantedOutput
from modelmint.kit.arrays import AnyArray
from modelmint.kit.registry import nearest
from modelmint.operations.composing import Composed
from modelmint.tasks.answers import item_ids

#: Bytes of the JSON, before it: how a response stands in the books, so that a retry gets the same one.
_FRAME = struct.Struct("<I")
#: Outputs of which the highest values can be asked for.
_RANKED = (PROBABILITIES, LOGITS)
DATATYPE_OF = {dtype: name for name, dtype in DTYPES.items()}


def chosen(request: InferRequest, signature: Signature) -> tuple[WantedOutput, ...]:
    """What to answer: the outputs asked for in their order, else all; raises ``BadInferRequest``."""
    known = [*signature.outputs, *(EXPLAINED if request.explain else ())]
    if request.outputs is None:
        return tuple(WantedOutput(name) for name in known)
    problems = []
    for output in request.outputs:
        if output.name not in known:
            close = nearest(output.name, known)
            problems.append(
                f"no output {output.name[:64]!r}"
                + (f"; did you mean {close!r}?" if close else f"; there are {', '.join(known)}")
            )
        elif output.classification and output.name not in _RANKED:
            problems.append(f"classification is for {' and '.join(_RANKED)}, not for {output.name!r}")
    if problems:
        raise BadInferRequest("the outputs asked for cannot be given", problems=problems)
    return request.outputs


def composed(request: InferRequest, wanted: Sequence[WantedOutput], made: Composed) -> bytes:
    """The response, framed: length of the JSON in 4 bytes, the JSON, the binary tensors."""
    answer, outputs, binary = made.answer, [], []
    for one in wanted:
        tensor = _output(one, made, binary=request.binary if one.binary is None else one.binary)
        told: dict[str, Any] = {"name": tensor.name, "datatype": tensor.datatype, "shape": list(tensor.shape)}
        if tensor.binary:
            binary.append(to_binary(tensor.datatype, tensor.values))
            told["parameters"] = {"binary_data_size": len(binary[-1])}
        else:
            told["data"] = to_json(tensor.datatype, tensor.values)
        outputs.append(told)
    content = {
        "model_name": made.model,
        "model_version": version_of(answer.release),
        **({} if request.id is None else {"id": request.id}),
        "parameters": {
            "prediction": made.prediction,
            "release": answer.release,
            "variant": answer.variant,
            "compute_ms": answer.compute_ms,
            "use": answer.use,
            "plan": made.admitted.plan,
            # Parameters are texts, numbers and booleans: where the plan has no limit, nothing is said.
            **({} if made.admitted.remaining is None else {"remaining": made.admitted.remaining}),
        },
        "outputs": outputs,
    }
    head = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return b"".join([_FRAME.pack(len(head)), head, *binary])


def unframed(stored: bytes) -> tuple[int | None, bytes]:
    """Length of the JSON, None where nothing follows it, and the body to send."""
    (length,) = _FRAME.unpack_from(stored)
    body = stored[_FRAME.size :]
    return (None if len(body) == length else length), body


def _output(wanted: WantedOutput, made: Composed, *, binary: bool) -> OutputTensor:
    values = _values(wanted.name, made, binary=binary)
    if wanted.classification:
        most = min(wanted.classification, len(made.answer.labels))
        texts = _ranked(np.asarray(values), most, made.answer.labels)
        return OutputTensor(wanted.name, BYTES, (len(made.answer.predictions), most), texts, binary)
    if isinstance(values, tuple):
        return OutputTensor(wanted.name, BYTES, (len(values),), values, binary)
    return OutputTensor(wanted.name, DATATYPE_OF[values.dtype], values.shape, values, binary)


def _values(name: str, made: Composed, *, binary: bool) -> AnyArray | tuple[bytes, ...]:
    answer, predictions = made.answer, made.answer.predictions
    if name == LABEL:
        return tuple(one.label.encode() for one in predictions)
    if name == PREDICTION:
        return tuple(identity.encode() for identity in item_ids(made.prediction, len(predictions)))
    if name == PROBABILITY:
        return np.array([one.probability for one in predictions], dtype=np.float64)
    if name == PROBABILITIES:
        return np.array([one.probabilities for one in predictions], dtype=np.float64)
    if name == ABSTAINED:
        return np.array([one.abstained for one in predictions], dtype=np.bool_)
    if name == EXPLANATION:
        return np.array([one.values for one in answer.explanations or ()], dtype=np.float64)
    if name == EXPLANATION_PNG:
        pictures = [one.png or b"" for one in answer.explanations or ()]
        return tuple(pictures if binary else map(base64.b64encode, pictures))  # JSON holds text only
    return np.asarray(answer.outputs, dtype=np.float32)  # LOGITS: ``chosen`` let no other name pass


def _ranked(values: AnyArray, most: int, labels: Sequence[str]) -> tuple[bytes, ...]:
    """The highest ``most`` values of each row as ``value:index:label`` (Triton's classification extension)."""
    order = np.argsort(-values, axis=1, kind="stable")[:, :most]
    return tuple(
        f"{row[index].item()!r}:{index}:{labels[index]}".encode()
        for row, indices in zip(values, order.tolist(), strict=True)
        for index in indices
    )
