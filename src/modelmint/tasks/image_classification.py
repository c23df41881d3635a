"""One picture in, one label with calibrated probabilities out.

``encode`` is the hot path of serving: it holds no state, takes no lock, and Pillow and numpy release the
interpreter lock in it, so several threads may encode at once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image

from modelmint.data.pictures import open_sized
from modelmint.kit.arrays import AnyArray, FloatArray
from modelmint.kit.errors import ModelmintError
from modelmint.kit.registry import nearest
from modelmint.tasks.decision import abstentions, answers, check_decision, check_outputs, probabilities
from modelmint.tasks.errors import BadSettings, EmptyInput, name_input
from modelmint.tasks.tensors import check_tensor
from modelmint.tasks.types import Counted, ImageSettings, ModelSpec, Prediction

RESAMPLES = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
#: Pictures more than this many times larger than asked for are first shrunk by whole factors (Pillow's
#: ``reducing_gap``): much faster, and at 3 hardly distinguishable from resampling every pixel.
_REDUCING_GAP = 3.0
#: A JPEG may come out of its decoder already shrunk, to no less than so many times what is asked for. At 2 the
#: encoded picture differs by about 0.5 grey levels of 255 from one decoded in full, and costs a third less.
_DRAFT = 2
_DEFAULT_SIZE = 96


@dataclasses.dataclass(frozen=True, slots=True)
class _Plan:
    """Settings made ready: ``out = pixel / divisor + bias`` per channel, arrays of shape ``[c, 1, 1]``."""

    settings: ImageSettings
    resample: Image.Resampling
    divisor: FloatArray
    bias: FloatArray


class ImageClassification:
    """The task ``image-classification``; settings are an ``ImageSettings`` as plain JSON."""

    name = "image-classification"

    def default_settings(self, **wanted: Any) -> Mapping[str, Any]:
        """Defaults with ``wanted`` laid over them; raises ``BadSettings`` listing every problem."""
        given = {"image_size": _DEFAULT_SIZE, **wanted}
        channels = given.get("channels", 3)
        if isinstance(channels, int):
            for name in ("mean", "std"):
                given.setdefault(name, [0.5] * channels)
        return _plain(_plan_of(given).settings)

    def encode(
        self, payloads: Sequence[bytes], settings: Mapping[str, Any], counted: Counted | None = None
    ) -> AnyArray:
        """Encoded pictures as one float32 batch ``[n, channels, image_size, image_size]``.

        Raises a leaf of ``InvalidInput`` (empty, not a picture, truncated, too many pixels) that names the
        first bad payload; nothing is returned for the others then.
        """
        plan = _plan_of(settings)
        size = plan.settings.image_size
        batch = np.empty((len(payloads), plan.settings.channels, size, size), dtype=np.float32)
        pixels = 0
        for index, payload in enumerate(payloads):
            try:
                pixels += _encode_one(payload, plan, batch[index])
            except ModelmintError as error:
                name_input(error, index, len(payloads))
                raise
        if counted is not None:
            counted.pixels += pixels
        return batch

    def accept(self, tensor: AnyArray, settings: Mapping[str, Any], counted: Counted | None = None) -> AnyArray:
        """``tensor`` itself, float32 ``[n, channels, image_size, image_size]``, every number finite.

        Raises ``EmptyInput`` or ``BadTensor``. A pixel of the tensor counts as a pixel that was sent.
        """
        check_tensor(tensor, self.input_shape(settings))
        if counted is not None:
            rows, _, height, width = self.planes(tensor, settings).shape
            counted.pixels += rows * height * width
        return tensor

    def input_shape(self, settings: Mapping[str, Any]) -> tuple[int, ...]:
        """``(channels, image_size, image_size)``."""
        wanted = _plan_of(settings).settings
        return (wanted.channels, wanted.image_size, wanted.image_size)

    def planes(self, batch: AnyArray, settings: Mapping[str, Any]) -> AnyArray:
        """``batch`` as ``[n, channels, height, width]``, a view."""
        return batch

    def decode(self, outputs: AnyArray, spec: ModelSpec) -> list[Prediction]:
        """Logits ``[n, labels]`` to one answer per row; raises ``BadOutputs`` on a wrong shape or NaN."""
        check_outputs(outputs, spec.labels)
        check_decision(spec.labels, spec.decision)
        probs = probabilities(outputs, spec.decision.temperature)
        chosen = answers(probs, spec.labels, spec.decision).tolist()
        held = abstentions(probs, spec.labels, spec.decision).tolist()
        return [
            Prediction(label=spec.labels[label], probability=row[label], probabilities=tuple(row), abstained=abstained)
            for label, row, abstained in zip(chosen, probs.tolist(), held, strict=True)
        ]


def _encode_one(payload: bytes, plan: _Plan, out: FloatArray) -> int:
    """Write one picture into ``out``, float32 ``[channels, size, size]``; how many pixels were sent."""
    if not payload:
        raise EmptyInput("expected a picture, found no bytes; send the file's content")
    settings = plan.settings
    # L or RGB, upright, transparency over white.
    picture, sent = open_sized(payload, settings.max_pixels, at_least=settings.image_size * _DRAFT)
    if settings.channels == 1 and picture.mode != "L":
        picture = picture.convert("L")
    wanted = (settings.image_size, settings.image_size)
    if picture.size != wanted:
        picture = picture.resize(wanted, plan.resample, reducing_gap=_REDUCING_GAP)
    pixels = np.asarray(picture)
    # A grey picture is resized once and written to every channel; colours go from [h, w, c] to [c, h, w] on the way.
    np.divide(pixels if pixels.ndim == 2 else pixels.transpose(2, 0, 1), plan.divisor, out=out)
    np.add(out, plan.bias, out=out)
    return sent


def _plain(settings: ImageSettings) -> dict[str, Any]:
    found = dataclasses.asdict(settings)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}


def _plan_of(settings: Mapping[str, Any]) -> _Plan:
    hashable = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    try:
        return _plan(tuple(sorted(hashable.items())))
    except TypeError as error:  # an unhashable value: a dict or a list of lists
        raise BadSettings(f"image settings: expected plain numbers, texts and lists of numbers; {error}") from error


@lru_cache(maxsize=64)
def _plan(items: tuple[tuple[str, Any], ...]) -> _Plan:
    given = dict(items)
    known = [field.name for field in dataclasses.fields(ImageSettings)]
    problems = []
    for name in sorted(set(given) - set(known)):
        close = nearest(name, known)
        problems.append(
            f"{name}: unknown" + (f"; did you mean {close!r}?" if close else f"; known: {', '.join(known)}")
        )
    if "image_size" not in given:
        problems.append("image_size: missing; give the side of the square in pixels")
    if problems:
        raise BadSettings("image settings cannot be used", problems=problems)
    settings = ImageSettings(**given)
    problems = list(_problems(settings))
    if problems:
        raise BadSettings("image settings cannot be used", problems=problems)
    mean = np.asarray(settings.mean, dtype=np.float64)[:, None, None]
    std = np.asarray(settings.std, dtype=np.float64)[:, None, None]
    # Divided by, not multiplied with its inverse: x / 255 to the last bit, as whoever trained a tree elsewhere had it.
    # Trees compare; at a threshold, one bit is another leaf.
    divisor = (255 * std).astype(np.float32)
    bias = (-mean / std).astype(np.float32)
    return _Plan(settings, RESAMPLES[settings.resample], divisor, bias)


def _problems(settings: ImageSettings) -> list[str]:
    found = []
    for name, low, high in (("image_size", 1, 4096), ("max_pixels", 1, 2**40)):
        value = getattr(settings, name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            found.append(f"{name}: expected a whole number from {low} to {high}, found {value!r}")
    if settings.channels not in (1, 3):
        found.append(f"channels: expected 1 (grey) or 3 (RGB), found {settings.channels!r}")
    for name in ("mean", "std"):
        values = getattr(settings, name)
        ok = isinstance(values, tuple) and all(isinstance(v, (int, float)) and np.isfinite(v) for v in values)
        if not ok or len(values) != settings.channels:
            found.append(f"{name}: expected {settings.channels} finite numbers, one per channel, found {values!r}")
        elif name == "std" and any(v <= 0 for v in values):
            found.append(f"std: expected numbers above 0, found {values!r}")
    if settings.resample not in RESAMPLES:
        found.append(f"resample: expected one of {', '.join(RESAMPLES)}; found {settings.resample!r}")
    return found
