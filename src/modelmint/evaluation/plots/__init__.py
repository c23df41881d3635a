"""Scorecards as pictures: self-contained SVG, no script, no outside font."""

from modelmint.evaluation.plots.confusion import confusion_svg
from modelmint.evaluation.plots.reliability import reliability_svg
from modelmint.evaluation.plots.roc import roc_svg

__all__ = ["confusion_svg", "reliability_svg", "roc_svg"]
