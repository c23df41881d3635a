"""Stops that reach every process at once, and a second server on the same workspace."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from modelmint.api.candidate import server_process
from modelmint.api.lock import LOCK_FILE, STATE_FILE
from modelmint.bootstrap import open_shop
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished
from modelmint.testing.waiting import eventually


def start(root: Path, log: Path) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """A server in a session of its own, once it serves."""
    command = [sys.executable, "-m", "modelmint.api", str(root), "--port", "0", "--workers", "2"]
    state = root / ".modelmint" / STATE_FILE
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    eventually(lambda: state.exists() or process.poll() is not None, 240, log.read_text)
    assert process.poll() is None, log.read_text()
    return process, json.loads(state.read_text())


def test_a_stop_sent_to_the_whole_process_group_lets_half_sent_calls_finish_and_bills_each_once(
    fresh_shop: Furnished, tmp_path: Path, tools: Any
) -> None:
    log = tmp_path / "log"
    process, found = start(fresh_shop.root, log)
    try:
        body = picture(250)
        head = (
            f"POST /v1/models/brightness/predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {fresh_shop.secret}\r\n"
            f"Content-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        port = int(found["url"].rsplit(":", 1)[1])
        lines = [socket.create_connection(("127.0.0.1", port), timeout=120) for _ in range(4)]
        for line in lines:
            line.sendall(head + body[:20])
        looking = tools.Line(found["url"], fresh_shop.secret)
        tools.eventually(lambda: tools.in_flight(looking) == 4)
        looking.close()
        os.killpg(process.pid, signal.SIGTERM)
        os.killpg(process.pid, signal.SIGTERM)  # `timeout` sends it to its child and then to the group
        tools.eventually(lambda: tools.is_closed(found["url"]))
        time.sleep(0.5)
        answers = []
        for line in lines:
            line.sendall(body[20:])
            answers.append(line.makefile("rb").readline())
        assert answers == [b"HTTP/1.1 200 OK\r\n"] * 4
        assert process.wait(timeout=120) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in log.read_text()
    with open_shop(fresh_shop.root) as shop:
        assert [row.status for row in shop.books.outcomes()] == [200] * 4


def test_a_second_server_on_a_workspace_is_refused_with_the_address_of_the_first_which_goes_on(
    fresh_shop: Furnished, tools: Any
) -> None:
    state = fresh_shop.root / ".modelmint" / STATE_FILE
    with server_process(fresh_shop.root, workers=1) as first:
        command = [sys.executable, "-m", "modelmint.api", str(fresh_shop.root), "--port", "0", "--workers", "1"]
        second = subprocess.run(command, capture_output=True, text=True, timeout=240)
        assert second.returncode == 1
        assert first["url"] in second.stderr
        assert str(first["pid"]) in second.stderr
        assert json.loads(state.read_text()) == first
        assert tools.Line(first["url"], fresh_shop.secret).predict().status == 200
    assert not state.exists()
    assert (state.parent / LOCK_FILE).exists()
    with server_process(fresh_shop.root, workers=1) as again:
        assert tools.Line(again["url"], fresh_shop.secret).predict().status == 200
