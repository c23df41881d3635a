"""Numbers as people read them; see ``sdk.views.figures``."""

from modelmint.sdk.views.figures import DASH, amount, bare, count, interval, number, seconds, short, size

__all__ = ["DASH", "amount", "bare", "count", "interval", "number", "seconds", "short", "size"]
