"""Clients that are slow, rude or gone, against a real server."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit

import pytest

from modelmint.api.protocol import HEAD_SECONDS
from modelmint.testing.pictures import picture


def connect(served: Any) -> socket.socket:
    parts = urlsplit(served.url)
    return socket.create_connection((parts.hostname or "", parts.port or 80), timeout=120)


def answer_of(line: socket.socket) -> tuple[int, bytes]:
    """Status and body until the server closes the line."""
    received = bytearray()
    try:
        while chunk := line.recv(65536):
            received += chunk
    except ConnectionResetError:  # we were still sending when it answered
        pass
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    return (int(head[9:12]) if head else 0), body


def head(served: Any, *lines: str) -> bytes:
    return "\r\n".join(
        [
            "POST /v1/models/brightness/predict HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {served.shop.secret}",
            *lines,
        ]
    ).encode()


def test_a_head_that_never_ends_is_cut_off_with_408_and_does_not_hold_up_others(served: Any) -> None:
    began = time.monotonic()
    line = connect(served)
    stopped = threading.Event()

    def drip() -> None:
        for byte in head(served):
            if stopped.wait(0.5):
                return
            try:
                line.send(bytes([byte]))
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    quick = served.line()
    assert [quick.predict().status for _ in range(20)] == [200] * 20
    status, body = answer_of(line)
    stopped.set()
    dripping.join()
    assert (status, json.loads(body)["code"]) == (408, "head_too_slow")
    assert time.monotonic() - began > HEAD_SECONDS  # no sooner, and it is cut off while the bytes still come


def test_a_body_of_one_byte_a_second_is_cut_off_with_408_and_not_billed(served: Any) -> None:
    before = served.usage()
    line = connect(served)
    line.sendall(head(served, "Content-Type: image/png", "Content-Length: 500", "Connection: close", "", ""))
    stopped = threading.Event()

    def drip() -> None:
        while not stopped.wait(1.0):
            try:
                line.send(b"x")
            except OSError:
                return

    dripping = threading.Thread(target=drip)
    dripping.start()
    status, body = answer_of(line)
    stopped.set()
    dripping.join()
    assert (status, json.loads(body)["code"]) == (408, "body_too_slow")
    after = served.usage()
    assert after["calls"] == before["calls"]
    assert after["refused"]["body_too_slow"] == 1


def test_endless_headers_get_431_and_a_huge_line_too(served: Any) -> None:
    for junk in (b"x-junk: " + b"a" * 50_000 + b"\r\n\r\n", b"x-a: b\r\n" * 6000 + b"\r\n"):
        line = connect(served)
        line.sendall(head(served) + b"\r\n" + junk)
        status, body = answer_of(line)
        assert (status, json.loads(body)["code"]) == (431, "head_too_large")
    line = connect(served)
    line.sendall(b"GET /" + b"a" * 200_000)
    assert answer_of(line)[0] in (431, 0)  # 0: reset while we were still sending


def test_bytes_that_are_no_http_get_400(served: Any) -> None:
    line = connect(served)
    line.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 not http\r\n\r\n")
    status, body = answer_of(line)
    assert (status, json.loads(body)["code"]) == (400, "bad_request")


def test_clients_that_hang_up_in_the_middle_disturb_nobody_and_are_not_billed(served: Any, tools: Any) -> None:
    before = served.usage()
    for _ in range(20):
        line = connect(served)
        line.sendall(head(served, "Content-Type: image/png", "Content-Length: 500", "", "") + b"half")
        line.close()
    tools.eventually(lambda: served.usage()["refused"].get("body_cut_off", 0) >= 20)
    assert served.usage()["calls"] == before["calls"]
    assert served.line().predict().status == 200


def test_a_caller_that_hung_up_before_its_answer_is_recorded_as_gone_or_billed_but_never_both(
    served: Any, tools: Any
) -> None:
    key = served.customer("Hasty Clinic", "payg")
    body = picture(200)
    sent = 40
    for _ in range(sent):
        line = connect(served)
        head_bytes = (
            "POST /v1/models/brightness/predict HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {key}\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        line.sendall(head_bytes + body)
        line.close()

    def all_settled() -> bool:
        usage = served.usage(key)
        return usage["calls"] + sum(usage["refused"].values()) == sent

    tools.eventually(all_settled)
    assert set(served.usage(key)["refused"]) <= {"client_gone", "body_cut_off"}


def test_half_open_connections_do_not_hold_the_server(served: Any) -> None:
    idle = [connect(served) for _ in range(200)]
    try:
        line = served.line()
        assert [line.predict().status for _ in range(20)] == [200] * 20
    finally:
        for one in idle:
            one.close()


def test_requests_sent_ahead_on_one_line_are_answered_in_order(served: Any) -> None:
    line = connect(served)
    calls = []
    for level in (250, 3, 240):
        body = picture(level)
        close = "Connection: close" if level == 240 else "Connection: keep-alive"
        lines = ("Content-Type: image/png", f"Content-Length: {len(body)}", close, "", "")
        calls.append(head(served, *lines) + body)
    line.sendall(b"".join(calls))
    received = bytearray()
    while chunk := line.recv(65536):
        received += chunk
    labels = [part.split(b'"', 1)[0] for part in bytes(received).split(b'"variant":"default","label":"')[1:]]
    assert labels == [b"bright", b"dark", b"bright"]


@pytest.mark.parametrize("wish", ["h2c", "websocket"])
def test_a_call_that_offers_another_protocol_is_answered_with_its_body_in_this_one(served: Any, wish: str) -> None:
    line = connect(served)
    body = picture(250)
    offer = ("Connection: Upgrade, HTTP2-Settings", f"Upgrade: {wish}", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")
    call = head(served, "Content-Type: image/png", f"Content-Length: {len(body)}", *offer, "", "") + body
    last = call.replace(b"Connection: Upgrade", b"Connection: close, Upgrade")
    line.sendall(call[:-30])
    time.sleep(0.2)
    line.sendall(call[-30:] + last)  # two on one line, the first in pieces
    received = bytearray()
    while chunk := line.recv(65536):
        received += chunk
    assert bytes(received).count(b"HTTP/1.1 200 OK") == 2
    assert bytes(received).count(b'"label":"bright"') >= 2
    assert "WebSocket" not in (served.shop.root / ".modelmint" / "serve.log").read_text()


def test_connect_is_refused_because_the_server_is_no_proxy(served: Any) -> None:
    line = connect(served)
    line.sendall(b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n")
    status, body = answer_of(line)
    assert (status, json.loads(body)["code"]) == (400, "bad_request")
