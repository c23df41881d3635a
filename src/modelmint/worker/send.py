"""One message sent to one address: bounded in time, in bytes and in where it may go.

Written on sockets, because three things must hold that a general client does not promise: the address that was
judged is the one that is connected to, everything together ends in time, and no redirect is followed.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from modelmint.commerce.webhooks.addresses import checked_url, is_public
from modelmint.commerce.webhooks.errors import BadEndpoint, PrivateAddress
from modelmint.commerce.webhooks.kinds import FOUNDER, envelope
from modelmint.commerce.webhooks.signing import headers
from modelmint.commerce.webhooks.types import NO_PLACE, Parcel, Receipt
from modelmint.kit.version import __version__

SECONDS = 10.0
#: What an answer may say before its status is known, and what is read after it so that no receiver sees a reset.
LARGEST_HEAD, LARGEST_REST = 16 * 1024, 64 * 1024


@dataclass(frozen=True)
class Sender:
    """How parcels are sent. ``private``: customers' webhooks may stand in a private network, too."""

    private: bool = False
    seconds: float = SECONDS
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    clock: Callable[[], float] = time.time

    def send(self, parcel: Parcel) -> Receipt:
        """Deliver; whatever goes wrong stands in the receipt."""
        delivery, endpoint = parcel.delivery, parcel.endpoint
        try:
            status = self._post(parcel)
        except (OSError, ValueError, BadEndpoint, PrivateAddress) as error:
            return Receipt(delivery, endpoint.id, None, _said(error))
        if 300 <= status < 400:
            return Receipt(delivery, endpoint.id, status, f"answered {status}; redirects are not followed")
        return Receipt(delivery, endpoint.id, status, "" if 200 <= status < 300 else f"answered {status}")

    def _post(self, parcel: Parcel) -> int:
        body = envelope(parcel.message)
        given = {
            "User-Agent": f"modelmint/{__version__}",
            "Content-Type": "application/json",
            **headers(parcel.secrets, parcel.message.id, int(self.clock()), body),
        }
        ours = self.private or parcel.endpoint.owner == FOUNDER
        deadline = time.monotonic() + self.seconds
        return self._exchange(parcel.endpoint.url, given, body, deadline, ours=ours)

    def _exchange(self, url: str, given: Mapping[str, str], body: bytes, deadline: float, *, ours: bool) -> int:
        parts = checked_url(url, encrypted=not ours)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [
            f"POST {target} HTTP/1.1",
            f"Host: {parts.netloc}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        lines += [f"{name}: {value}" for name, value in given.items()]
        request = "\r\n".join([*lines, "", ""]).encode("ascii") + body
        with self._connect(host, port, deadline, ours=ours) as bare:
            if not secure:
                return _converse(bare, request, deadline)
            bare.settimeout(_left(deadline))
            with self.tls.wrap_socket(bare, server_hostname=host) as wrapped:
                return _converse(wrapped, request, deadline)

    def _connect(self, host: str, port: int, deadline: float, *, ours: bool) -> socket.socket:
        """To an address that was judged; a name that resolves to anything private is refused as a whole."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise PrivateAddress(f"{host} was not found: {error}") from error
        private = [str(address[0]) for *_, address in found if not is_public(str(address[0]))]
        if private and not ours:
            raise PrivateAddress(f"{host} is {private[0]}, which is not on the public internet")
        failure: OSError = TimeoutError("no address answered")
        for family, kind, protocol, _, address in found:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(_left(deadline))
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
                continue
            return connection
        raise failure


def _converse(connection: socket.socket, request: bytes, deadline: float) -> int:
    connection.settimeout(_left(deadline))
    connection.sendall(request)
    head, status = b"", None
    while status is None:
        connection.settimeout(_left(deadline))
        chunk = connection.recv(4096)
        if not chunk:
            raise ConnectionError("the connection ended before a status came")
        head += chunk
        status, head = _status(head)
        if status is None and len(head) > LARGEST_HEAD:
            raise ValueError(f"more than {LARGEST_HEAD} bytes came before a status")
    _drain(connection, deadline)
    return status


def _status(head: bytes) -> tuple[int | None, bytes]:
    """The status, once its line is complete; interim answers (1xx) are passed over."""
    while b"\r\n" in head:
        line = head.split(b"\r\n", 1)[0].split(b" ")
        if len(line) < 2 or not line[0].startswith(b"HTTP/1.") or len(line[1]) != 3 or not line[1].isdigit():
            raise ValueError("what answered does not speak HTTP")
        status = int(line[1])
        if status >= 200:
            return status, head
        if b"\r\n\r\n" not in head:
            return None, head
        head = head.split(b"\r\n\r\n", 1)[1]
    return None, head


def _drain(connection: socket.socket, deadline: float) -> None:
    read = 0
    while read < LARGEST_REST:
        try:
            connection.settimeout(_left(deadline))
            chunk = connection.recv(16 * 1024)
        except OSError:
            return  # the status is known; how the receiver ends is its own affair
        if not chunk:
            return
        read += len(chunk)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


def _said(error: Exception) -> str:
    if isinstance(error, PrivateAddress):  # or none: from outside one is to look like the other
        return f"{NO_PLACE}; {error}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = " ".join(str(error).split()) or type(error).__name__
    return f"could not be delivered: {text}"
