"""uvicorn's httptools protocol with bounds on what a client may send, and for how long, before it is understood."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from modelmint.api.problems import plain_problem
from modelmint.api.respond import SECURITY

#: Bytes of request line and headers together.
LARGEST_HEAD = 32 * 1024
#: Seconds from the first byte of a request (or from connecting) to the end of its headers.
HEAD_SECONDS = 10.0
#: Seconds that an answered client may take to send the rest of a body that nobody reads any more.
DISCARD_SECONDS = 10.0
_HOP = (b"upgrade", b"connection")


class BoundedProtocol(HttpToolsProtocol):
    """Refuses endless headers with 431, broken requests with a problem, and notes since when a head is awaited."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Monotonic time since which a head is incomplete; None while a request runs or the line is idle.
        self.head_since: float | None = None
        #: Monotonic time since which the rest of an answered request is read and thrown away.
        self.discarding_since: float | None = None
        self._head_bytes = 0
        #: The head just read asks for another protocol; it is read once more without that wish.
        self._switching = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        self.head_since = time.monotonic()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():  # refused already
            return
        if self.head_since is not None:
            self._head_bytes += len(data)
        self._unset_keepalive_if_required()
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.logger.warning("Invalid HTTP request received.")
            self.send_400_response("")
            return
        # A body that came with its head counts as well: only an unfinished head is judged.
        if self.head_since is not None and self._head_bytes > LARGEST_HEAD:
            self.refuse(431, "head_too_large", "The request head is too large")

    def _feed(self, data: bytes) -> None:
        """Parse; a wish for another protocol is passed over and the request goes on as HTTP/1.1 (RFC 9110, 7.8)."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                self._switching = False
                if self.transport.is_closing() or self.parser.get_method() == b"CONNECT":
                    self.refuse(400, "bad_request", "This server is no proxy and switches to no other protocol")
                    return
                data = self._plain_head() + data[upgrade.args[0] :]
                # The old parser takes all that follows for another protocol.
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's
            else:
                return

    def _plain_head(self) -> bytes:
        """The head just read, without the wish to switch."""
        tokens = b",".join(value for name, value in self.headers if name == b"connection").split(b",")
        kept = [token.strip() for token in tokens if token.strip().lower() not in (b"upgrade", b"http2-settings", b"")]
        lines = [self.parser.get_method() + b" " + self.url + b" HTTP/" + self.parser.get_http_version().encode()]
        lines += [name + b": " + value for name, value in self.headers if name not in _HOP]
        lines += [b"connection: " + b", ".join(kept)] if kept else []
        return b"\r\n".join(lines) + b"\r\n\r\n"

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
        if self.parser.should_upgrade():
            self._switching = True
            return
        super().on_headers_complete()
        if getattr(self.server_state, "draining", False) and self.cycle is not None:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        if self.cycle is not None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self.discarding_since = None
        if self.cycle is not None and not self._switching:
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
