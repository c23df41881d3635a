"""``sklearn:digits``: the real scans of handwritten digits that scikit-learn carries."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from modelmint.data.errors import SourceNotFound
from modelmint.data.pictures import encode_png
from modelmint.data.types import RawData, RawRow, Source
from modelmint.kit.arrays import AnyArray
from modelmint.kit.errors import MissingExtra

_PREFIX = "sklearn:"


class SklearnDigits:
    """1,797 pictures of 8 x 8; their greys 0..16 become 0..255."""

    reads = "sklearn:digits, the handwritten digits that scikit-learn carries"

    def recognises(self, source: Source) -> bool:
        return source.text.startswith(_PREFIX)

    def files(self, source: Source) -> Sequence[Path]:
        _check_name(source)
        # Found without importing scikit-learn, which takes a second: a build that repeats nothing needs only this.
        package = importlib.util.find_spec("sklearn")
        if package is None or package.origin is None:
            raise MissingExtra("workshop", source.text)
        return [Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"]

    def read(self, source: Source) -> RawData:
        _check_name(source)
        try:
            from sklearn.datasets import load_digits
        except ImportError as error:
            raise MissingExtra("workshop", source.text) from error
        digits = load_digits()
        pixels = np.rint(digits.images * (255 / 16)).astype(np.uint8)
        rows = tuple(
            RawRow(f"digits[{place}]", str(label), None, _png(pixels[place]))
            for place, label in enumerate(digits.target.tolist())
        )
        facts = {
            "format": "sklearn",
            "family": "Optical Recognition of Handwritten Digits (UCI), as carried by scikit-learn",
            "licence": "CC BY 4.0",
        }
        return RawData(rows, tuple(str(digit) for digit in range(10)), facts)


def _check_name(source: Source) -> None:
    name = source.text.removeprefix(_PREFIX)
    if name != "digits":
        raise SourceNotFound(f"expected sklearn:digits, found sklearn:{name}; it is the one set read from there")


def _png(pixels: AnyArray) -> Callable[[], bytes]:
    return lambda: encode_png(pixels)
