"""A real server process with something to sell, and clients that keep score."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from modelmint.api.candidate import server_process
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished, furnish
from modelmint.testing.waiting import eventually


@dataclass(frozen=True)
class Response:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Line:
    """One kept-alive connection."""

    def __init__(self, url: str, key: str, timeout: float = 120.0) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        self._key = key

    @property
    def is_new(self) -> bool:
        """Nothing is connected: the next call will connect."""
        return self._connection.sock is None

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Response:
        """Header names with underscores; raises what ``http.client`` raises when the line breaks."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._key:
            named.setdefault("Authorization", f"Bearer {self._key}")
        try:
            self._connection.request(method, path, body=body, headers=named)
            answer = self._connection.getresponse()
            return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise

    def predict(self, model: str = "brightness", payload: bytes | None = None, **headers: str) -> Response:
        headers.setdefault("Content_Type", "image/png")
        return self.send("POST", f"/v1/models/{model}/predict", payload or picture(200), **headers)

    def close(self) -> None:
        self._connection.close()


@dataclass
class Served:
    """The running server, the shop behind it, and the founder's token."""

    shop: Furnished
    url: str
    state: dict[str, Any]

    def line(self, key: str | None = None) -> Line:
        return Line(self.url, self.shop.secret if key is None else key)

    @property
    def token(self) -> str:
        return (self.shop.root / ".modelmint" / "keys" / "admin.token").read_text().strip()

    def founder(self, method: str, path: str, content: Any = None) -> Any:
        """A call to ``/admin/v1``; the JSON of the answer, which must be a good one."""
        body = None if content is None else json.dumps(content).encode()
        answer = self.line(self.token).send(method, f"/admin/v1{path}", body)
        assert answer.status in (200, 201), answer.body
        return answer.json

    def customer(self, name: str, plan: str) -> str:
        """A further customer on ``plan``; the secret of its key."""
        return str(self.founder("POST", "/customers", {"name": name, "plan": plan})["key"]["secret"])

    def usage(self, key: str | None = None) -> Any:
        return self.line(key).send("GET", "/v1/usage").json


@dataclass
class Tally:
    """What many clients saw."""

    statuses: list[int] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, answer: Response) -> None:
        with self.lock:
            self.statuses.append(answer.status)
            if answer.status == 200:
                self.answers.append(answer.json)

    def note_break(self, error: BaseException) -> None:
        with self.lock:
            self.broken.append(repr(error))


def in_parallel(count: int, work: Callable[[int], None]) -> None:
    """``work(0..count-1)`` in threads; raises the first error of any."""
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def in_flight(line: Line) -> int:
    """Calls that the server, all its processes, answers now; those are counted whose bodies are on their way."""
    page = line.send("GET", "/metrics").body.decode()
    return sum(int(count) for count in re.findall(r"^modelmint_calls_in_flight{.*} (\d+)$", page, re.MULTILINE))


def is_closed(url: str) -> bool:
    """Nobody listens there any more."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port), timeout=120).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        return False
    return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for a module's tests, two processes."""
    shop = furnish(tmp_path_factory.mktemp("served"))
    with server_process(shop.root, workers=2) as state:
        yield Served(shop, state["url"], state)


@pytest.fixture
def fresh_shop(tmp_path: Path) -> Furnished:
    """A shop of the test's own, no server yet."""
    return furnish(tmp_path / "shop")


@pytest.fixture
def tools() -> Any:
    """The helpers of this file, which test modules cannot import by name."""
    import types

    return types.SimpleNamespace(
        Line=Line,
        Served=Served,
        Tally=Tally,
        in_parallel=in_parallel,
        eventually=partial(eventually, seconds=120),
        in_flight=in_flight,
        is_closed=is_closed,
        Response=Response,
    )
