"""Which regions of an input spoke for the answer: maps without torch, and the test whether they tell the truth."""

from modelmint.inference.explain.heatmap import png
from modelmint.inference.explain.types import CAM, OCCLUSION, Explanation

__all__ = ["CAM", "OCCLUSION", "Explanation", "png"]
