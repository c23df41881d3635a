"""A valid founder's file, small enough to read in a test."""

from __future__ import annotations

_TEXT = """
[venture]
name = "{name}"
purpose = "tells dark pictures from bright ones"
use = "{use}"

[data]
source = "data"
labels = ["dark", "bright"]
positive = "bright"

[model]
base = "cnn"
image_size = 8

[demand]
calls_per_month = 10_000

[machine]
price_per_hour = "0.08 USD"

[plans.trial]
free_calls = {free_calls}
days = 14

[plans.payg]
per_call = "0.02 USD"

[plans.clinic]
monthly = "49 USD"
included_calls = 5000
overage = "0.01 USD"
calls_per_minute = {calls_per_minute}
"""


def venture_text(
    name: str = "brightness", *, use: str = "for tests only", free_calls: int = 3, calls_per_minute: int = 6000
) -> str:
    """``venture.toml`` with the plans ``trial``, ``payg`` (0.02 USD a call) and ``clinic`` (49 USD a month)."""
    return _TEXT.format(name=name, use=use, free_calls=free_calls, calls_per_minute=calls_per_minute).lstrip()
