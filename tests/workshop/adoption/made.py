"""What tests of adoption share."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from modelmint.data.version import DatasetVersion
from modelmint.kit.arrays import AnyArray


@dataclass(frozen=True)
class Made:
    """A model of another framework: its ONNX file, and what it says itself of the validation pictures."""

    path: Path
    probabilities: AnyArray


def pixels(data: DatasetVersion, split: str) -> AnyArray:
    """``uint8[n, 8, 8]``, read by Pillow alone."""
    return np.stack([np.asarray(Image.open(BytesIO(payload)).convert("L")) for payload in data.payloads(split)])
