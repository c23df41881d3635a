"""``Content-Encoding`` and ``Accept-Encoding`` with ``gzip`` and ``deflate`` (RFC 9110, 8.4.1), bounded."""

from __future__ import annotations

import zlib

from modelmint.api.body import too_large
from modelmint.api.v2.errors import BadCompression, UnknownCompression

#: Window bits of zlib: 31 reads and writes gzip (RFC 1952), 15 the zlib format that HTTP calls deflate (RFC 1950).
_WINDOW = {"gzip": 31, "x-gzip": 31, "deflate": 15}
#: Answers that are smaller go as they are: compressing would cost more than it saves.
SMALLEST = 256
_LEVEL = 1


def inflated(body: bytes, encoding: bytes | None, limit: int) -> bytes:
    """The body as it was before it was compressed, at most ``limit`` bytes of it.

    Raises ``BodyTooLarge`` at the first byte too many, without making more; ``BadCompression`` where the
    stream is broken, cut off or followed by something; ``UnknownCompression`` (415).
    """
    name = (encoding or b"identity").strip().lower().decode("latin-1")
    if name in ("identity", ""):
        return body
    window = _WINDOW.get(name)
    if window is None:
        raise UnknownCompression(f"expected Content-Encoding gzip or deflate, found {name[:40]!r}")
    stream = zlib.decompressobj(window)
    try:
        found = stream.decompress(body, limit + 1)
    except zlib.error as error:
        raise BadCompression(f"the {name} body cannot be unpacked: {error}") from error
    if len(found) > limit:
        raise too_large(limit, len(found))
    if not stream.eof or stream.unused_data:
        raise BadCompression(f"expected one whole {name} stream, found it {'cut off' if not stream.eof else 'longer'}")
    return found


def accepted(header: bytes | None) -> str | None:
    """``gzip`` or ``deflate``, the first of them that ``Accept-Encoding`` allows; None for neither."""
    for part in (header or b"").decode("latin-1").lower().split(","):
        name, *more = (piece.strip() for piece in part.split(";"))
        if name in ("gzip", "deflate") and not any(_zero(piece) for piece in more):
            return name
    return None


def deflated(body: bytes, name: str) -> bytes:
    """``body`` compressed as ``name`` says."""
    stream = zlib.compressobj(_LEVEL, wbits=_WINDOW[name])
    return stream.compress(body) + stream.flush()


def _zero(parameter: str) -> bool:
    """``q=0``, in any spelling: not acceptable."""
    key, _, value = parameter.partition("=")
    return key.strip() == "q" and value.strip().rstrip("0").rstrip(".") in ("", "0")
