"""What a served model takes and gives, in the protocol's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from modelmint.api.v2.tensors import BYTES
from modelmint.api.v2.types import TensorMeta
from modelmint.serving.lane import Lane

#: The encoded picture; where the graph's own input has this name, the other one.
PICTURE, OTHER_PICTURE = "image", "image_bytes"
LOGITS, PROBABILITIES, PROBABILITY = "logits", "probabilities", "probability"
LABEL, ABSTAINED, PREDICTION = "label", "abstained", "prediction"
#: Only where the call asks for explanations: heat by row ``[n, rows, columns]``, and its picture as PNG.
EXPLAINED = EXPLANATION, EXPLANATION_PNG = "explanation", "explanation_png"
#: Characters of the release's id that name a version.
VERSION_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Signature:
    """Of one variant of one release. A call gives one of ``picture`` and ``tensor``."""

    model: str
    version: str
    picture: TensorMeta
    tensor: TensorMeta
    outputs: Mapping[str, TensorMeta]
    labels: tuple[str, ...]

    @property
    def inputs(self) -> tuple[TensorMeta, TensorMeta]:
        """Both ways in."""
        return self.picture, self.tensor

    @property
    def item(self) -> tuple[int, ...]:
        """Shape of one encoded item."""
        return self.tensor.shape[1:]


def signature_of(name: str, lane: Lane) -> Signature:
    """Of what ``lane`` serves under the public ``name``."""
    spec = lane.spec
    picture = OTHER_PICTURE if spec.input_name == PICTURE else PICTURE
    count = len(spec.labels)
    outputs = (
        TensorMeta(LABEL, BYTES, (-1,)),
        TensorMeta(PROBABILITY, "FP64", (-1,)),
        TensorMeta(PROBABILITIES, "FP64", (-1, count)),
        TensorMeta(LOGITS, "FP32", (-1, count)),
        TensorMeta(ABSTAINED, "BOOL", (-1,)),
        TensorMeta(PREDICTION, BYTES, (-1,)),
    )
    return Signature(
        model=name,
        version=version_of(lane.release),
        picture=TensorMeta(picture, BYTES, (-1,)),
        tensor=TensorMeta(spec.input_name, "FP32", (-1, *lane.task.input_shape(spec.settings))),
        outputs={output.name: output for output in outputs},
        labels=spec.labels,
    )


def version_of(release: str) -> str:
    """The version that a release is called by."""
    return release[:VERSION_LENGTH]
