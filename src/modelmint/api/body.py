"""Reading a request body: bounded while it streams, and not for ever."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope

from modelmint.api.errors import BadHeader, BodyCutOff, BodyTooLarge, BodyTooSlow

#: Seconds a body may take at least, and bytes a second that it must keep up beyond them.
GRACE_SECONDS = 10.0
SLOWEST_BYTES_PER_SECOND = 16 * 1024


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header called ``name`` (lower case), or None."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return None


def declared_length(scope: Scope) -> int | None:
    """``Content-Length``, None where the body is chunked."""
    given = header(scope, b"content-length")
    if given is None:
        return None
    if not given.isdigit() or len(given) > 18:
        raise BadHeader(f"expected a number in Content-Length, found {given[:40].decode('latin-1')!r}")
    return int(given)


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body, at most ``limit`` bytes.

    Refuses by ``Content-Length`` before anything is read, and at the first byte too many without it
    (``BodyTooLarge``). ``BodyTooSlow`` where it falls behind 16 KiB/s after a grace of 10 s; ``BodyCutOff`` where
    the caller hung up.
    """
    length = declared_length(scope)
    if length is not None and length > limit:
        raise too_large(limit, length)
    started = asyncio.get_running_loop().time()
    chunks: list[bytes] = []
    total = 0
    try:
        async with asyncio.timeout_at(started + GRACE_SECONDS) as deadline:
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise BodyCutOff("the connection ended before the request body did")
                chunk = message.get("body", b"")
                total += len(chunk)
                if total > limit:
                    raise too_large(limit, total)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
                deadline.reschedule(started + GRACE_SECONDS + total / SLOWEST_BYTES_PER_SECOND)
    except TimeoutError:
        raise BodyTooSlow(
            f"expected the request body at {SLOWEST_BYTES_PER_SECOND} bytes a second or faster, found {total} bytes "
            "in all; send it faster or send less"
        ) from None


def too_large(limit: int, found: int) -> BodyTooLarge:
    """The refusal, with both sizes."""
    return BodyTooLarge(
        f"expected a body of at most {limit} bytes, found {found} or more; send smaller pictures or fewer per call",
        details={"limit": limit},
    )
