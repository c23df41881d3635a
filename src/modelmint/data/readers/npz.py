"""MedMNIST-style ``.npz``: ``train_images``, ``train_labels``, and the same for ``val`` and ``test``.

``x_train``, ``y_train`` and the like (Keras) and lone ``images``, ``labels`` are understood too. Nothing is unpickled,
and what an array declares is checked before any of it is unpacked.
"""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.lib import format as npy

from modelmint.data.errors import SourceTooLarge, UnreadableSource
from modelmint.data.pictures import encode_png
from modelmint.data.readers import medmnist
from modelmint.data.types import SPLITS, RawData, RawRow, Source, Split
from modelmint.kit.arrays import AnyArray, IntArray
from modelmint.kit.machine import this_machine
from modelmint.kit.registry import nearest

#: Names of the pictures' and the labels' arrays; ``{}`` is the split.
_SPELLINGS = (("{}_images", "{}_labels"), ("x_{}", "y_{}"))
_UNSPLIT = (("images", "labels"), ("x", "y"))
_MOST_LABELS = 1000


@dataclass(frozen=True, slots=True)
class _Declared:
    """What the header of one array says."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    @property
    def size(self) -> int:
        """Bytes when unpacked."""
        size = self.dtype.itemsize
        for side in self.shape:
            size *= side
        return size


class Npz:
    """Grey pictures ``uint8[n, h, w]`` or colour ``uint8[n, h, w, 3]`` with labels ``[n]`` or ``[n, 1]``."""

    reads = "a MedMNIST-style .npz with train_images, train_labels, ..."

    def recognises(self, source: Source) -> bool:
        return source.path.is_file() and source.path.suffix.lower() == ".npz"

    def files(self, source: Source) -> Sequence[Path]:
        return [source.path]

    def read(self, source: Source) -> RawData:
        name = medmnist.family(source.path.stem)
        if name in medmnist.MULTI_LABEL:
            raise UnreadableSource(f"{name} has several labels a picture; expected exactly one. Use another set")
        declared = _declared(source.path)
        arrays = _Arrays(source.path)
        found = [(split, *pair) for split, pair in _pairs(declared, source.path)]
        numbers = {images: _labels(arrays, labels, declared[images].shape[0]) for _, images, labels in found}
        names = _names(name, source.labels, max(int(n.max(initial=0)) for n in numbers.values()) + 1)
        rows = tuple(
            RawRow(f"{images}[{place}]", names[number], split, arrays.png(images, place))
            for split, images, _ in found
            for place, number in enumerate(numbers[images].tolist())
        )
        facts = {"format": "npz"}
        if name is not None:
            facts |= {"family": f"MedMNIST v2 {name}", "licence": medmnist.licence(name)}
        return RawData(rows, names, facts)


class _Arrays:
    """The arrays of one file, one of them in memory at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._name = ""
        self._array: AnyArray = np.empty(0)

    def get(self, name: str) -> AnyArray:
        with self._lock:
            if name != self._name:
                self._array = np.empty(0)
                try:
                    with np.load(self._path, allow_pickle=False) as archive:
                        self._array = archive[name]
                except Exception as error:  # as in _declared
                    raise UnreadableSource(f"the array {name} of {self._path} is damaged: {error}") from error
                self._name = name
            return self._array

    def png(self, name: str, place: int) -> Callable[[], bytes]:
        return lambda: encode_png(self.get(name)[place])


def _declared(path: Path) -> dict[str, _Declared]:
    """Headers of all arrays; refuses pickles and arrays that would not fit into half of this machine's memory."""
    found: dict[str, _Declared] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".npy"):
                    with archive.open(entry) as file:
                        found[entry.filename.removesuffix(".npy")] = _header(cast("BinaryIO", file))
    except Exception as error:  # damage makes zipfile, zlib, struct and numpy raise a dozen kinds between them
        raise UnreadableSource(f"expected an .npz file of plain arrays at {path}, found: {error}") from error
    limit = this_machine().memory_gib * 2**30 / 2 or 8 * 2**30
    for name, array in found.items():
        if array.dtype.hasobject:
            raise UnreadableSource(f"the array {name} of {path} holds Python objects, which are never loaded")
        if array.size > limit:
            raise SourceTooLarge(
                f"the array {name} of {path} declares {array.size / 2**30:.1f} GiB; at most half of this machine's "
                f"memory, {limit / 2**30:.1f} GiB, is used. Do: write the pictures as files, a folder per class"
            )
    return found


def _header(file: BinaryIO) -> _Declared:
    version = npy.read_magic(file)
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    return _Declared(shape, dtype)


def _pairs(declared: dict[str, _Declared], path: Path) -> list[tuple[Split | None, tuple[str, str]]]:
    found: list[tuple[Split | None, tuple[str, str]]] = []
    for images, labels in _SPELLINGS:
        for split in SPLITS:
            pair = (images.format(split), labels.format(split))
            if all(name in declared for name in pair):
                found.append((split, pair))
        if found:
            break
    else:
        found += [(None, pair) for pair in _UNSPLIT if all(name in declared for name in pair)][:1]
    if not found:
        names = ", ".join(sorted(declared)) or "none"
        raise UnreadableSource(f"expected arrays train_images and train_labels in {path}; found {names}")
    for _, (images, _labels_name) in found:
        array = declared[images]
        colour = len(array.shape) == 4 and array.shape[3] == 3
        if array.dtype != np.uint8 or not (len(array.shape) == 3 or colour) or 0 in array.shape[1:]:
            raise UnreadableSource(
                f"expected {images} as uint8[n, h, w] or uint8[n, h, w, 3], found {array.dtype}{list(array.shape)}"
            )
    return found


def _labels(arrays: _Arrays, name: str, count: int) -> IntArray:
    numbers = arrays.get(name)
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.ndim == 2:
        raise UnreadableSource(f"{name} has {numbers.shape[1]} labels a picture; expected exactly one")
    if numbers.shape != (count,) or numbers.dtype.kind not in "iu":
        raise UnreadableSource(
            f"expected {name} as {count} whole numbers, one a picture, found {numbers.dtype}{list(numbers.shape)}"
        )
    if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) < _MOST_LABELS:
        found = f"{numbers.min()} to {numbers.max()}"
        raise UnreadableSource(f"expected label numbers from 0 to below {_MOST_LABELS} in {name}, found {found}")
    return numbers.astype(np.int64)


def _names(name: str | None, declared: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Label names by number: the family's; or the declared ones, in their order; or the numbers themselves.

    Declared names that are the family's (in any order, capitals aside) are matched by name: number 0 stays what the
    family calls it. Where none is, they are new names for the numbers in order; a mixture is refused, because a slip
    in one name would turn the others around.
    """
    known = medmnist.LABELS.get(name or "", ())
    if known and count <= len(known):
        spelled = {label.casefold(): label for label in declared}
        strange = [label for label in declared if label.casefold() not in {k.casefold() for k in known}]
        if not strange:
            return tuple(spelled.get(label.casefold(), label) for label in known)
        if len(strange) < len(declared):
            close = nearest(strange[0], list(known))
            hint = f"; did you mean {close!r}?" if close else ""
            raise UnreadableSource(
                f"data.labels names {strange[0]!r}; the labels of {name} are {', '.join(map(repr, known))}{hint} "
                f"Do: use these names in any order, or give all {len(known)} numbers new names, in the order of these"
            )
    if declared:
        # A number beyond the declared labels keeps its number for a name, and is found unknown later.
        return (*declared, *(str(number) for number in range(len(declared), count)))
    return tuple(str(number) for number in range(count))
