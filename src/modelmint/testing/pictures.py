"""Encoded pictures as a customer would send them."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def picture(brightness: int = 128, *, side: int = 16, noise: int = 0, seed: int = 0, form: str = "PNG") -> bytes:
    """A grey square of ``side`` pixels at ``brightness`` (0 to 255), with ``noise`` levels of seeded jitter."""
    pixels = np.full((side, side), brightness, dtype=np.int64)
    if noise:
        pixels += np.random.default_rng(seed).integers(-noise, noise + 1, pixels.shape)
    buffer = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(buffer, format=form)
    return buffer.getvalue()
