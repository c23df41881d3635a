"""Scorecards and measurements as pictures: self-contained SVG, no script, no style, no outside font."""

from modelmint.evaluation.plots.confusion import confusion_svg
from modelmint.evaluation.plots.dots import Dot, dots_svg
from modelmint.evaluation.plots.grid import grid_svg
from modelmint.evaluation.plots.reliability import reliability_svg
from modelmint.evaluation.plots.roc import roc_svg
from modelmint.evaluation.plots.scatter import Point, scatter_svg

__all__ = ["Dot", "Point", "confusion_svg", "dots_svg", "grid_svg", "reliability_svg", "roc_svg", "scatter_svg"]
