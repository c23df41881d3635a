"""The ways in which a foreign graph may want its pictures: as it says, as the founder says, or what is left open."""

from __future__ import annotations

import math
from collections.abc import Iterator

from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.adoption.types import InputPort, Layout, Reading
from modelmint.workshop.errors import UnusableGraph

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
#: Caffe's means of red, green and blue, of pixels in 0..255 (Simonyan and Zisserman 2014; Keras calls it "caffe").
_CAFFE = (123.68, 116.779, 103.939)
SCALES = ("unit", "raw", "signed", "imagenet", "caffe")
#: The smallest and largest side of a picture that encode makes.
_SIDES = (1, 4096)
_LAYOUTS: dict[int, tuple[Layout, ...]] = {3: ("nchw", "nhwc"), 2: ("nhw",), 1: ("flat", "flat-chw")}


def possible(port: InputPort, section: ModelSection, grey: bool) -> list[Reading]:
    """Every reading that graph and founder leave open, the likeliest first; at least one.

    ``grey`` says that the pictures of the dataset are, which counts where the graph takes any number of channels.
    Raises ``UnusableGraph``: no picture fits the input, or something is stated that the graph contradicts.
    """
    found = [
        Reading(layout, scale, side, channels, mean, std, bgr=scale == "caffe")
        for layout, side, channels in _shapes(port, section, grey)
        for scale, mean, std in _scales(section, channels)
    ]
    if not found:
        raise UnusableGraph(
            f"mean and std have {len(section.mean or ())} numbers; the graph takes {_wanted_channels(port)} channels"
            if section.mean is not None
            else f'scale = "{section.scale}" is for colours, and the graph takes grey pictures'
        )
    return found


def others(port: InputPort, reading: Reading) -> list[Reading]:
    """The readings that the graph itself leaves open beside ``reading``, whatever was stated."""
    anything = ModelSection(base="any.onnx", image_size=max(8, min(reading.image_size, 1024)))
    try:
        shapes = list(_shapes(port, anything, reading.channels == 1))
    except UnusableGraph:
        shapes = [(reading.layout, reading.image_size, reading.channels)]
    found = [
        Reading(layout, scale, side, channels, mean, std, bgr=scale == "caffe")
        for layout, side, channels in shapes
        if (side, channels) == (reading.image_size, reading.channels)
        for scale, mean, std in _scales(anything, channels)
    ]
    known = (reading.layout, reading.mean, reading.std, reading.bgr)
    return [one for one in found if (one.layout, one.mean, one.std, one.bgr) != known]


def _scales(section: ModelSection, channels: int) -> Iterator[tuple[str, tuple[float, ...], tuple[float, ...]]]:
    """Names of scales with the mean and deviation that encode applies to pixels in 0..1."""
    if section.mean is not None and section.std is not None:
        if len(section.mean) == channels:
            yield "stated", tuple(map(float, section.mean)), tuple(map(float, section.std))
        elif len(section.mean) == 1:
            yield "stated", (float(section.mean[0]),) * channels, (float(section.std[0]),) * channels
        return
    for name in SCALES if section.scale == "auto" else (section.scale,):
        if name in ("imagenet", "caffe") and channels != 3:
            continue
        means, deviations = {
            "unit": ((0.0,) * channels, (1.0,) * channels),
            "raw": ((0.0,) * channels, (1 / 255,) * channels),
            "signed": ((0.5,) * channels, (0.5,) * channels),
            "imagenet": _IMAGENET,
            "caffe": (tuple(mean / 255 for mean in _CAFFE), (1 / 255,) * 3),
        }[name]
        yield name, means, deviations


def _shapes(port: InputPort, section: ModelSection, grey: bool) -> Iterator[tuple[Layout, int, int]]:
    """Layout, side of the square and channels of every way to lay a picture into the input."""
    layouts = _LAYOUTS.get(len(port.sides))
    if layouts is None:
        raise UnusableGraph(f"expected an input of pictures, {_FORMS}; the graph takes {_told(port)}")
    if section.layout != "auto":
        if section.layout not in layouts:
            raise UnusableGraph(
                f'layout = "{section.layout}": the graph takes {_told(port)}, which can be {" or ".join(layouts)}'
            )
        layouts = (section.layout,)
    stated = section.image_size if "image_size" in section.model_fields_set else None
    fitting = [(layout, *shape) for layout in layouts if (shape := _square(port, layout, stated, grey)) is not None]
    if not fitting:
        raise UnusableGraph(
            f"expected an input of square pictures, grey or with three colours, {_FORMS}; the graph takes {_told(port)}"
        )
    sides = {side for _, side, _ in fitting}
    if None in sides:
        raise UnusableGraph(f"the graph takes pictures of any size ({_told(port)}). Do: say which, image_size = 224")
    if stated is not None and stated not in sides:
        wanted = ", ".join(str(side) for side in sides)
        raise UnusableGraph(f"image_size = {stated}: the graph takes pictures of {wanted} x {wanted}. Do: leave it out")
    for layout, side, channels in fitting:
        # Of one channel, the two flat orders are the same.
        twice = layout == "flat-chw" and channels == 1 and section.layout == "auto"
        if side is not None and stated in (None, side) and _SIDES[0] <= side <= _SIDES[1] and not twice:
            yield layout, side, channels


def _square(port: InputPort, layout: str, stated: int | None, grey: bool) -> tuple[int | None, int] | None:
    """Side and channels of a picture in this layout; the side is None where the graph takes any; None: none fits."""
    usual = 1 if grey else 3
    if layout in ("flat", "flat-chw"):
        (count,) = port.sides
        if count is None:
            return stated, usual
        for channels in (1, 3):
            side = math.isqrt(count // channels)
            if side * side * channels == count:
                return side, channels
        return None
    if layout == "nhw":
        channels, (height, width) = 1, port.sides
    elif layout == "nhwc":
        height, width, found = port.sides
        channels = found or usual
    else:
        found, height, width = port.sides
        channels = found or usual
    known = {side for side in (height, width) if side is not None}
    if channels not in (1, 3) or len(known) > 1:
        return None
    return (known.pop() if known else stated), channels


_FORMS = "[n, channels, s, s], [n, s, s, channels], [n, s, s] or [n, pixels]"


def _told(port: InputPort) -> str:
    return f"[{', '.join('n' if side is None else str(side) for side in (port.batch, *port.sides))}]"


def _wanted_channels(port: InputPort) -> str:
    return " or ".join(str(side) for side in port.sides if side in (1, 3)) or "1 or 3"
