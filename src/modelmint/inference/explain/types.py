"""The nouns of explanations."""

from __future__ import annotations

from dataclasses import dataclass, field

#: How a map was made: read off the network's own feature map, or by painting parts of the input out.
CAM, OCCLUSION = "cam", "occlusion"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which regions of one input spoke for ``label``."""

    #: "cam" or "occlusion".
    kind: str
    label: str
    #: Rows and columns of ``values``.
    grid: tuple[int, int]
    #: Heat by row, 0 to 1; 1 is the region that speaks most for ``label``, 0 one that does not or speaks against it.
    values: tuple[tuple[float, ...], ...]
    #: Rows sent through the network for it, beyond the answer's own.
    passes: int
    #: CPU milliseconds that it took.
    ms: float
    #: The map as a picture, over the input where that was one; None where nobody asked for it.
    png: bytes | None = field(default=None, repr=False)
