"""uvicorn's httptools protocol with bounds on what a client may send, and for how long, before it is understood."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from modelmint.api.problems import plain_problem
from modelmint.api.respond import SECURITY

#: Bytes of request line and headers together.
LARGEST_HEAD = 32 * 1024
#: Seconds from the first byte of a request (or from connecting) to the end of its headers.
HEAD_SECONDS = 10.0
#: Seconds that an answered client may take to send the rest of a body that nobody reads any more.
DISCARD_SECONDS = 10.0


class BoundedProtocol(HttpToolsProtocol):
    """Refuses endless headers with 431, broken requests with a problem, and notes since when a head is awaited."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Monotonic time since which a head is incomplete; None while a request runs or the line is idle.
        self.head_since: float | None = None
        #: Monotonic time since which the rest of an answered request is read and thrown away.
        self.discarding_since: float | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        self.head_since = time.monotonic()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():  # refused already
            return
        if self.head_since is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        # A body that came with its head counts as well: only an unfinished head is judged.
        if self.head_since is not None and self._head_bytes > LARGEST_HEAD:
            self.refuse(431, "head_too_large", "The request head is too large")

    def on_message_begin(self) -> None:
        self.head_since = time.monotonic()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.head_since = None
        self._head_bytes = 0
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > LARGEST_HEAD:
            self.refuse(431, "head_too_large", "The request head is too large")
            return
        super().on_headers_complete()
        if getattr(self.server_state, "draining", False) and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self.discarding_since = None
        if self.cycle is not None:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        if self.cycle is not None and self.cycle.more_body:
            self.discarding_since = time.monotonic()
        super().on_response_complete()

    @property
    def busy(self) -> bool:
        """A request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def send_400_response(self, msg: str) -> None:
        self.refuse(400, "bad_request", "The bytes received are not an HTTP request")

    def refuse(self, status: int, code: str, title: str) -> None:
        """Answer with a problem below the application, and close."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            _, headers, body = plain_problem(status, code, title, f"{title}; the connection is closed.")
            lines = [b"HTTP/1.1 %d %s" % (status, title.encode())]
            full = [*headers, *SECURITY, (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
            lines += [name + b": " + value for name, value in full]
            self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self.transport.close()


def close_slow(connections: set[Any]) -> None:
    """End every connection that keeps us waiting too long; run about once a second.

    An unfinished head is refused with 408; the unread rest of an answered request is cut off.
    """
    now = time.monotonic()
    for connection in list(connections):
        if not isinstance(connection, BoundedProtocol):
            continue
        if connection.head_since is not None and now - connection.head_since > HEAD_SECONDS:
            connection.refuse(408, "head_too_slow", "The request head did not arrive in time")
        elif connection.discarding_since is not None and now - connection.discarding_since > DISCARD_SECONDS:
            connection.transport.close()
