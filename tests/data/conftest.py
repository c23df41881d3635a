"""Pictures and sources written for the tests."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelmint.data.freeze import freeze
from modelmint.data.version import DatasetVersion
from modelmint.kit.progress import Silent
from modelmint.venture.sections.data import DataSection


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """Bytes of a picture that is unlike the pictures of other seeds."""

    def make(seed: int, form: str = "PNG", size: tuple[int, int] = (12, 10), mode: str = "L", **options: Any) -> bytes:
        shape = (size[1], size[0]) if mode == "L" else (size[1], size[0], 3)
        pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, format=form, **options)
        return buffer.getvalue()

    return make


@pytest.fixture
def fill(picture: Callable[..., bytes]) -> Callable[..., None]:
    """Writes ``count`` different pictures per label below a folder."""

    def write(root: Path, labels: dict[str, int], start: int = 0) -> None:
        seed = start
        for label, count in labels.items():
            (root / label).mkdir(parents=True, exist_ok=True)
            for place in range(count):
                (root / label / f"{place:03}.png").write_bytes(picture(seed))
                seed += 1

    return write


@pytest.fixture
def frozen(tmp_path: Path) -> Callable[..., DatasetVersion]:
    """Freezes a ``[data]`` section, relative to the test's folder, into a folder of its own."""
    made = []

    def run(**section: Any) -> DatasetVersion:
        made.append(section)
        return freeze(DataSection(**section), tmp_path, tmp_path / "frozen" / str(len(made)), Silent())

    return run
