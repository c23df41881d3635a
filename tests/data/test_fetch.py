"""A published file over a line that breaks, from a server that lies: a real one, on this machine."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from modelmint.data.errors import DownloadFailed, SourceNotFound, WrongDownload
from modelmint.data.fetch import PNEUMONIAMNIST, TRIES, PublishedFile, check, fetch
from modelmint.kit.progress import Silent

CONTENT = bytes(range(256)) * 4096
ETAG = '"first"'
Answer = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """One request; what is answered stands in the server's list, the last entry again and again."""

    server: Server

    def do_GET(self) -> None:
        server = self.server
        server.ranges.append(self.headers.get("Range"))
        server.answers[min(len(server.ranges), len(server.answers)) - 1](self)

    def give(self, content: bytes, status: int = 200, *, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"ETag": ETAG, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        if length != -1:
            self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Silent."""


class Server(ThreadingHTTPServer):
    answers: list[Answer]
    ranges: list[str | None]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what is tested here."""

    def offer(self, *answers: Answer) -> PublishedFile:
        self.answers, self.ranges = list(answers), []
        url = f"http://127.0.0.1:{self.server_port}/file.npz"
        md5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
        return PublishedFile("file.npz", url, len(CONTENT), md5, hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server(("127.0.0.1", 0), Asked)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def whole(asked: Asked) -> None:
    asked.give(CONTENT)


def rest(asked: Asked) -> None:
    """As a server with ranges answers: only what is missing, and only of the same file."""
    told = asked.headers.get("Range")
    if told is None or asked.headers.get("If-Range") != ETAG:
        asked.give(CONTENT)
        return
    start = int(told.removeprefix("bytes=").rstrip("-"))
    asked.give(CONTENT[start:], 206, Content_Range=f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")


def cut(size: int) -> Answer:
    """Promises all of it, and hangs up."""

    def answer(asked: Asked) -> None:
        asked.give(CONTENT[:size], length=len(CONTENT))

    return answer


def got(wanted: PublishedFile, folder: Path) -> Path:
    return fetch(wanted, folder, Silent(), sleep=lambda _: None)


def test_a_file_is_fetched_once_and_never_asked_for_again(server: Server, tmp_path: Path) -> None:
    wanted = server.offer(whole)
    assert got(wanted, tmp_path).read_bytes() == CONTENT
    assert got(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None]
    assert [item.name for item in tmp_path.iterdir()] == ["file.npz"]


def test_a_line_that_breaks_is_taken_up_where_it_broke(server: Server, tmp_path: Path) -> None:
    wanted = server.offer(cut(300_000), rest)
    assert got(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-"]


def test_what_arrived_is_kept_for_the_next_time_where_the_line_breaks_for_good(server: Server, tmp_path: Path) -> None:
    def gone(asked: Asked) -> None:
        asked.give(b"", 503)

    wanted = server.offer(cut(100_000), gone)
    with pytest.raises(DownloadFailed, match=r"100,000 of 1,048,576 bytes are here.*--data PATH"):
        got(wanted, tmp_path)
    assert len(server.ranges) == TRIES
    assert not (tmp_path / "file.npz").exists()
    server.offer(rest)
    assert got(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=100000-"]


def test_a_server_that_ignores_ranges_or_has_another_file_by_now_sends_all_of_it_again(
    server: Server, tmp_path: Path
) -> None:
    wanted = server.offer(cut(300_000), whole)
    assert got(wanted, tmp_path).read_bytes() == CONTENT

    def renewed(asked: Asked) -> None:
        asked.give(CONTENT, ETag='"second"')

    wanted = server.offer(cut(300_000), renewed)
    assert got(wanted, tmp_path / "b").read_bytes() == CONTENT

    def elsewhere(asked: Asked) -> None:  # a range, but not the one that was asked for
        asked.give(CONTENT[5:], 206, Content_Range=f"bytes 5-{len(CONTENT) - 1}/{len(CONTENT)}")

    wanted = server.offer(cut(300_000), elsewhere)
    with pytest.raises(WrongDownload):
        got(wanted, tmp_path / "c")


def test_without_a_mark_that_vouches_for_the_same_bytes_it_begins_again(server: Server, tmp_path: Path) -> None:
    def weak(asked: Asked) -> None:
        asked.give(CONTENT[:1000], length=len(CONTENT), ETag='W/"first"')

    wanted = server.offer(weak, whole)
    assert got(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, None]


def test_more_than_there_is_begins_again(server: Server, tmp_path: Path) -> None:
    def unsatisfiable(asked: Asked) -> None:
        asked.give(b"", 416)

    wanted = server.offer(cut(300_000), unsatisfiable, whole)
    assert got(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=300000-", None]


def test_wrong_bytes_are_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    def forged(asked: Asked) -> None:
        asked.give(bytes(len(CONTENT)))

    wanted = server.offer(forged)
    with pytest.raises(WrongDownload, match="Altered copies"):
        got(wanted, tmp_path)
    assert not (tmp_path / "file.npz").exists()
    server.offer(rest)
    assert got(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None]


@pytest.mark.parametrize("length", [None, -1], ids=["told", "not told"])
@pytest.mark.parametrize("size", [10, len(CONTENT) + 1000])
def test_another_length_is_refused(server: Server, tmp_path: Path, size: int, length: int | None) -> None:
    wanted = server.offer(lambda asked: asked.give((CONTENT * 2)[:size], length=length))
    with pytest.raises((WrongDownload, DownloadFailed)):
        got(wanted, tmp_path)
    assert not (tmp_path / "file.npz").exists()
    left = tmp_path / ".file.npz.part"
    assert not left.exists() or left.stat().st_size <= len(CONTENT)


def test_redirects_are_followed_and_do_not_lose_the_range(server: Server, tmp_path: Path) -> None:
    def moved(asked: Asked) -> None:
        asked.give(b"", 302, Location="/elsewhere")

    wanted = server.offer(moved, cut(300_000), moved, rest)
    assert got(wanted, tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, None, "bytes=300000-", "bytes=300000-"]
    wanted = server.offer(moved)
    with pytest.raises(DownloadFailed, match="redirect"):
        got(wanted, tmp_path / "loop")


def test_what_is_not_there_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    wanted = server.offer(lambda asked: asked.give(b"", 404))
    with pytest.raises(DownloadFailed, match="404"):
        got(wanted, tmp_path)
    assert len(server.ranges) == 1


def test_without_a_network_the_message_says_what_to_do(tmp_path: Path) -> None:
    nowhere = PublishedFile("file.npz", "http://127.0.0.1:9/file.npz", 10, "ab" * 16, "cd" * 32)
    with pytest.raises(DownloadFailed, match=r"refused.*fetch the file elsewhere \(md5 abab.*--data PATH"):
        got(nowhere, tmp_path)


def test_a_file_of_the_founder_is_the_published_one_or_refused(tmp_path: Path, shared_data: Path) -> None:
    official = shared_data / "pneumoniamnist" / "pneumoniamnist.npz"
    assert check(official, PNEUMONIAMNIST) == official
    altered = tmp_path / "pneumoniamnist.npz"
    altered.write_bytes(official.read_bytes()[:-1] + b"\1")
    with pytest.raises(WrongDownload, match=PNEUMONIAMNIST.md5):
        check(altered, PNEUMONIAMNIST)
    with pytest.raises(SourceNotFound, match="found no file"):
        check(tmp_path / "gone.npz", PNEUMONIAMNIST)
