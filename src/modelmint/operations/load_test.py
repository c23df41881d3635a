"""A closed-loop load test through a real server: so many clients, each sending its next call when answered.

The client is one thread on raw sockets, because it shares the machine with what it measures; its own CPU is
part of the result. A level is judged by calls that started and ended inside its window.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil

from modelmint.inference.quantiles import quantile
from modelmint.operations.errors import LoadTestFailed
from modelmint.serving.types import LoadPoint, LoadResult

LEVELS = (1, 2, 4, 8, 16, 32)
_HEAD_END = b"\r\n\r\n"
#: The ramp ends after two levels in a row below this share of the best calls/s so far.
_STILL_RISING = 0.9


@dataclass
class _Client:
    """One connection with one call under way."""

    line: socket.socket
    started: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    wanted: int = -1
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))


@dataclass
class _Level:
    """What happened at one level."""

    seconds: list[float] = field(default_factory=list)
    errors: int = 0
    first_error: str = ""


def requests_of(payloads: Sequence[bytes], key: str, model: str, host: str) -> list[bytes]:
    """Ready-to-send HTTP requests, one per payload."""
    found = []
    for payload in payloads:
        head = (
            f"POST /v1/models/{model}/predict HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {len(payload)}\r\n\r\n"
        )
        found.append(head.encode() + payload)
    return found


def load_test(
    url: str,
    key: str,
    model: str,
    payloads: Sequence[bytes],
    pids: Callable[[], Sequence[int]] | Sequence[int],
    p99_limit_ms: float | None,
    *,
    engine: str = "",
    threads: int = 1,
    levels: Sequence[int] = LEVELS,
    seconds: float = 1.0,
) -> LoadResult:
    """Ramp ``levels`` of clients against ``url``, ``seconds`` each after a short warm-up.

    ``pids`` are the server's processes (parent and workers), whose CPU is counted. ``best`` is the fastest level
    without an error whose p99 is within ``p99_limit_ms``. The ramp ends early where more clients bring less.
    Raises ``LoadTestFailed`` where the very first call is not answered with 200.
    """
    began = time.monotonic()
    address, host = _address(url)
    requests = requests_of(payloads, key, model, host)
    server = _processes(pids() if callable(pids) else pids)
    _run(address, requests, 2, min(0.5, seconds), first=True)
    points: list[LoadPoint] = []
    spent, loads = 0.0, []
    for clients in levels:
        point, own, load = _measure(address, requests, clients, seconds, server)
        points.append(point)
        loads.append(load)
        spent += own
        fastest = max(one.calls_per_second for one in points)
        falling = len(points) > 1 and all(one.calls_per_second < _STILL_RISING * fastest for one in points[-2:])
        if falling or (clients > 1 and p99_limit_ms is not None and point.p99_ms > p99_limit_ms):
            break
    fitting = [p for p in points if not p.errors and (p99_limit_ms is None or p.p99_ms <= p99_limit_ms)]
    return LoadResult(
        points=tuple(points),
        best=max(fitting, key=lambda point: point.calls_per_second, default=None),
        p99_limit_ms=p99_limit_ms,
        workers=max(1, len(server) - 1),
        engine=engine,
        threads=threads,
        client_cpu_ms=round(1000 * spent / max(1, sum(point.calls for point in points)), 4),
        load=round(sum(loads) / len(loads), 3),
        seconds=round(time.monotonic() - began, 3),
    )


def _measure(
    address: tuple[str, int], requests: Sequence[bytes], clients: int, seconds: float, server: Sequence[psutil.Process]
) -> tuple[LoadPoint, float, float]:
    """One level: the point, the client's own CPU seconds, the foreign load in cores."""
    own, before, foreign = time.thread_time(), _cpu(server), _Foreign(server)
    started = time.perf_counter()
    level = _run(address, requests, clients, seconds)
    elapsed = time.perf_counter() - started
    own = time.thread_time() - own
    return _point(clients, level, elapsed, _cpu(server) - before), own, foreign.cores(elapsed, own)


def _point(clients: int, level: _Level, elapsed: float, server_cpu: float) -> LoadPoint:
    answered = len(level.seconds)
    p50, p99 = (quantile(level.seconds, share).value if answered else 0.0 for share in (0.50, 0.99))
    return LoadPoint(
        clients=clients,
        calls=answered,
        calls_per_second=round(answered / elapsed, 2),
        p50_ms=round(1000 * p50, 3),
        p99_ms=round(1000 * p99, 3),
        server_cpu_ms=round(1000 * server_cpu / max(1, answered), 4),
        errors=level.errors,
    )


def _address(url: str) -> tuple[tuple[str, int], str]:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None:
        raise LoadTestFailed(f"expected a URL like http://127.0.0.1:8000, found {url!r}")
    return (parts.hostname, parts.port or 80), parts.netloc


@contextmanager
def _clients(address: tuple[str, int], count: int) -> Iterator[list[_Client]]:
    clients: list[_Client] = []
    try:
        for _ in range(count):
            line = socket.create_connection(address, timeout=10)
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.setblocking(False)
            clients.append(_Client(line))
        yield clients
    except OSError as error:
        raise LoadTestFailed(f"cannot connect to the server under test: {error}") from error
    finally:
        for client in clients:
            client.line.close()


def _run(
    address: tuple[str, int], requests: Sequence[bytes], count: int, seconds: float, first: bool = False
) -> _Level:
    level = _Level()
    with _clients(address, count) as clients, selectors.DefaultSelector() as selector:
        for number, client in enumerate(clients):
            selector.register(client.line, selectors.EVENT_READ, client)
            _send(client, requests[number % len(requests)])
        sent, open_lines = count, count
        end = time.perf_counter() + seconds
        while open_lines:
            for key, _ in selector.select(timeout=10.0) or _stuck():
                client = key.data
                status = _receive(client)
                if status == 0:
                    continue
                now = time.perf_counter()
                if status == 200:
                    level.seconds.append(now - client.started)
                else:
                    level.errors += 1
                    level.first_error = level.first_error or bytes(client.received[:400]).decode("latin-1")
                    if first:
                        raise LoadTestFailed(f"the server under test refused a call: {level.first_error}")
                if now >= end or status < 0:
                    selector.unregister(client.line)
                    open_lines -= 1
                    continue
                _send(client, requests[sent % len(requests)])
                sent += 1
    return level


def _stuck() -> list[tuple[selectors.SelectorKey, int]]:
    raise LoadTestFailed("the server under test answered nothing for 10 seconds")


def _send(client: _Client, request: bytes) -> None:
    client.received.clear()
    client.wanted = -1
    client.started = time.perf_counter()
    view = memoryview(request)
    while view:
        try:
            view = view[client.line.send(view) :]
        except BlockingIOError:  # a large picture; wait until the kernel takes more
            with selectors.DefaultSelector() as writable:
                writable.register(client.line, selectors.EVENT_WRITE)
                writable.select(timeout=10.0)


def _receive(client: _Client) -> int:
    """The status once the answer is complete, 0 while it is not, -1 where the line broke."""
    try:
        data = client.line.recv(65536)
    except BlockingIOError:
        return 0
    except OSError:
        return -1
    if not data:
        return -1
    client.received += data
    if client.wanted < 0:
        head = client.received.find(_HEAD_END)
        if head < 0:
            return 0
        lower = bytes(client.received[:head]).lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        client.wanted = head + len(_HEAD_END) + length
    if len(client.received) < client.wanted:
        return 0
    return int(client.received[9:12])


def _processes(pids: Sequence[int]) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid) for pid in pids]
    except psutil.Error as error:
        raise LoadTestFailed(f"the server under test is not running: {error}") from error


def _cpu(processes: Sequence[psutil.Process]) -> float:
    """CPU seconds of all of them so far."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error as error:
            raise LoadTestFailed(f"a process of the server under test died: {error}") from error
        total += times.user + times.system
    return total


class _Foreign:
    """Cores kept busy by neither the server nor the client, over a window."""

    def __init__(self, server: Sequence[psutil.Process]) -> None:
        self._server = server
        self._busy, self._ours = _busy(), _cpu(server)

    def cores(self, elapsed: float, client_cpu: float) -> float:
        """Mean since it was made."""
        foreign = (_busy() - self._busy) - (_cpu(self._server) - self._ours) - client_cpu
        return max(0.0, foreign / elapsed)


def _busy() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))
