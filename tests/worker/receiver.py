"""A webhook receiver that behaves as it is told, on a real socket."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

Answer = Callable[[socket.socket], None]


def says(text: str) -> Answer:
    """Answers with these bytes."""
    return lambda connection: connection.sendall(text.encode())


OK = says("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


def status(code: int, more: str = "") -> Answer:
    return says(f"HTTP/1.1 {code} Whatever\r\nContent-Length: 0\r\n{more}\r\n")


@dataclass
class Receiver:
    """Takes every connection in a thread of its own; ``answer`` may be changed at any time."""

    answer: Answer = OK
    tls: ssl.SSLContext | None = None
    requests: list[tuple[dict[str, str], bytes, str]] = field(default_factory=list)

    def __enter__(self) -> Receiver:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread, which would keep the port open
        self._listener.close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}/hook?a=1"

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection:
                self.requests.append(_read(connection))
                self.answer(connection)
        except OSError:
            pass


def _read(connection: socket.socket) -> tuple[dict[str, str], bytes, str]:
    head = b""
    while b"\r\n\r\n" not in head:
        head += _some(connection)
    first, _, rest = head.partition(b"\r\n\r\n")
    request, *lines = first.decode().split("\r\n")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    while len(rest) < int(headers["content-length"]):
        rest += _some(connection)
    return headers, rest, request


def _some(connection: socket.socket) -> bytes:
    found = connection.recv(4096)
    if not found:
        raise ConnectionError("the sender gave up")
    return found
