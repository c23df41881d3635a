"""Releases swapped and servers stopped under load, without a failed call."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from modelmint.api.candidate import server_process
from modelmint.api.process import LAST_CALLS_SECONDS
from modelmint.api.server import SAME_STOP_SECONDS
from modelmint.api.service import POLL_SECONDS
from modelmint.bootstrap import open_shop
from modelmint.operations.deploy import deploy, rollback
from modelmint.releases.errors import DamagedRelease
from modelmint.tasks.predictions import shown
from modelmint.testing.pictures import picture
from modelmint.testing.releases import brightness_release
from modelmint.testing.shops import Furnished, furnish
from modelmint.testing.ventures import venture_text


class Load:
    """Clients that call until told to stop."""

    def __init__(self, tools: Any, url: str, key: str, clients: int = 8) -> None:
        self.tally = tools.Tally()
        #: Errors of clients who were not told, and had no time to be, that their line ends.
        self.cut_off: list[BaseException] = []
        self._answers = [0] * clients
        self._done = threading.Event()
        self._threads = [
            threading.Thread(target=self._call, args=(number, tools.Line(url, key))) for number in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _call(self, number: int, line: Any) -> None:
        heard = time.monotonic()
        while not self._done.is_set():
            unconnected = line.is_new
            try:
                self.tally.note(line.predict(payload=picture(220)))
            except (OSError, http.client.HTTPException) as error:
                self.tally.note_break(error)
                if not unconnected and time.monotonic() - heard < LAST_CALLS_SECONDS:
                    self.cut_off.append(error)
                return
            heard = time.monotonic()
            self._answers[number] += 1

    def all_were_answered(self) -> bool:
        """Every client, five times."""
        return min(self._answers) >= 5

    def stop(self) -> Any:
        self._done.set()
        for thread in self._threads:
            thread.join()
        return self.tally


def test_deploying_and_rolling_back_under_load_fails_no_call(fresh_shop: Furnished, tools: Any) -> None:
    shelf = fresh_shop.root / ".modelmint" / "releases"
    other = brightness_release(shelf, sharpness=8.0)
    releases = [fresh_shop.release, other.id]
    with server_process(fresh_shop.root, workers=2) as state, open_shop(fresh_shop.root) as shop:
        line = tools.Line(state["url"], fresh_shop.secret)
        load = Load(tools, state["url"], fresh_shop.secret)
        for turn in range(6):
            if turn % 2:
                assert rollback(shop.books, shop.shelf, "brightness") is not None
            else:
                deploy(shop.books, shop.shelf, releases[1][:12])
            wanted = releases[1 - turn % 2]
            tools.eventually(lambda wanted=wanted: all(line.predict().json["release"] == wanted for _ in range(4)))
            tools.eventually(lambda wanted=wanted: load.tally.answers[-1]["release"] == wanted)
        tally = load.stop()
        assert tally.broken == []
        assert set(tally.statuses) == {200}
        assert {answer["release"] for answer in tally.answers} == set(releases)
        # Each answer is that of the release it names: the sharper one is surer.
        sure = {r: {a["probability"] for a in tally.answers if a["release"] == r} for r in releases}
        assert max(sure[releases[0]]) < min(sure[releases[1]])
        usage = line.send("GET", "/v1/usage").json
        assert usage["calls"] >= len(tally.statuses)
        assert usage["refused"] == {}


def test_a_swap_is_noticed_by_every_process_which_looks_twice_a_second(fresh_shop: Furnished, tools: Any) -> None:
    assert POLL_SECONDS <= 0.5
    other = brightness_release(fresh_shop.root / ".modelmint" / "releases", sharpness=9.0)
    with server_process(fresh_shop.root, workers=2) as state, open_shop(fresh_shop.root) as shop:
        deploy(shop.books, shop.shelf, other.id)
        lines = [tools.Line(state["url"], fresh_shop.secret) for _ in range(8)]
        tools.eventually(lambda: all(line.predict().json["release"] == other.id for line in lines))


def test_a_damaged_release_is_not_deployed_and_what_served_goes_on(fresh_shop: Furnished, tools: Any) -> None:
    other = brightness_release(fresh_shop.root / ".modelmint" / "releases", sharpness=7.0)
    with server_process(fresh_shop.root, workers=1) as state, open_shop(fresh_shop.root) as shop:
        line = tools.Line(state["url"], fresh_shop.secret)
        graph = next(other.path.rglob("*.onnx"))
        content = bytearray(graph.read_bytes())
        content[100] ^= 1
        graph.write_bytes(content)
        with pytest.raises(DamagedRelease):
            deploy(shop.books, shop.shelf, other.id)
        # Pointed there all the same (by hand, or damaged afterwards): the former release keeps serving.
        shop.books.deploy("brightness", other.id, "brightness", None)
        tools.eventually(lambda: b'modelmint_stale_deployments{worker="0"} 1' in line.send("GET", "/metrics").body)
        assert line.predict().json["release"] == fresh_shop.release
        assert line.send("GET", "/healthz/ready").json["not_served"] == ["brightness"]


def _server(root: Path, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    import json

    state = root / ".modelmint" / "serve.json"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "modelmint.api", str(root), "--port", "0", "--workers", "2"],
            stdout=output,
            stderr=output,
        )
    while not state.exists():
        assert process.poll() is None, log.read_text()
        time.sleep(0.01)
    return process, str(json.loads(state.read_text())["url"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_graceful_stop_under_load_finishes_every_call_under_way_and_exits_0(
    fresh_shop: Furnished, tools: Any, tmp_path: Path, number: signal.Signals
) -> None:
    process, url = _server(fresh_shop.root, tmp_path / "log")
    load = Load(tools, url, fresh_shop.secret, clients=16)
    tools.eventually(load.all_were_answered)
    os.kill(process.pid, number)
    assert process.wait(timeout=120) == 0
    tally = load.stop()
    assert set(tally.statuses) == {200}
    # Every client was told `Connection: close` with its last answer; only then could it no longer connect. Who says
    # nothing for so long as the last calls are waited for may find his line closed.
    assert load.cut_off == [], tally.broken
    with open_shop(fresh_shop.root) as shop:
        billed = [shown(row.prediction) for row in shop.books.outcomes(fresh_shop.customer) if row.billable]
        assert shop.books.release_stale() == 0
    assert sorted(billed) == sorted(answer["id"] for answer in tally.answers)


def test_a_second_signal_stops_at_once(fresh_shop: Furnished, tools: Any, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process, url = _server(fresh_shop.root, log)
    hanging = http.client.HTTPConnection(url.removeprefix("http://"))
    hanging.putrequest("POST", "/v1/models/brightness/predict")
    hanging.putheader("Authorization", f"Bearer {fresh_shop.secret}")
    hanging.putheader("Content-Length", "1000000")
    hanging.endheaders(bytes(500_000))  # as much as buys it half a minute
    looking = tools.Line(url, fresh_shop.secret)
    tools.eventually(lambda: tools.in_flight(looking) == 1)
    looking.close()
    process.terminate()
    tools.eventually(lambda: tools.is_closed(url))
    time.sleep(SAME_STOP_SECONDS)
    assert process.poll() is None  # the half-sent call is waited for
    process.terminate()
    process.wait(timeout=240)
    with pytest.raises((OSError, http.client.HTTPException)):  # it is left without an answer
        hanging.getresponse()
    assert "graceful shutdown exceeded" not in log.read_text()  # nor did it wait for as long as it would have
    hanging.close()


def test_a_release_copied_into_an_empty_folder_is_sold_there_under_its_own_plans(tmp_path: Path, tools: Any) -> None:
    from modelmint.releases.shelf import Shelf

    origin = furnish(tmp_path / "origin")
    elsewhere = tmp_path / "elsewhere"
    Shelf(elsewhere / ".modelmint" / "releases").add(origin.root / ".modelmint" / "releases" / origin.release)
    with open_shop(elsewhere) as shop:
        assert shop.name == "brightness"
        assert shop.notice == "for tests only"
        customer = shop.books.add_customer("First", "")
        shop.books.subscribe(customer.id, "clinic")
        _, secret = shop.books.add_key(customer.id, "first")
    with server_process(elsewhere, workers=1) as state:  # nothing was deployed: the newest release is
        answer = tools.Line(state["url"], secret).predict()
        assert answer.status == 200, answer.body
        assert (answer.json["label"], answer.json["plan"]) == ("bright", "clinic")
        assert answer.json["use"] == "for tests only"


BLOCKER = """
import sys

class NoWorkshop:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "onnx", "onnxscript", "sklearn", "peft", "tensorboard"}:
            raise ImportError(f"{name} is not in this environment")

sys.meta_path.insert(0, NoWorkshop())
"""


def test_the_shop_alone_without_torch_or_onnx_serves(
    fresh_shop: Furnished, tools: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    absent = subprocess.run([sys.executable, "-c", "import torch"], capture_output=True, check=False)
    assert b"not in this environment" in absent.stderr
    with server_process(fresh_shop.root, workers=1) as state:
        assert tools.Line(state["url"], fresh_shop.secret).predict().json["label"] == "bright"


def test_more_calls_than_the_queue_holds_are_refused_at_once_and_the_rest_is_answered(
    tmp_path: Path, tools: Any
) -> None:
    text = venture_text() + "\n[serving]\nmax_queue = 1\nmax_batch = 1\n"
    shop = furnish(tmp_path / "shop", venture=text)
    large = picture(200, side=1500, noise=60)
    tally = tools.Tally()
    with server_process(shop.root, workers=1) as state:

        def call(_: int) -> None:
            line = tools.Line(state["url"], shop.secret)
            for _ in range(6):
                answer = line.predict(payload=large)
                tally.note(answer)
                if answer.status == 503:
                    assert answer.json["code"] == "overloaded"
                    assert int(answer.headers["retry-after"]) >= 1

        tools.in_parallel(16, call)
        usage = tools.Line(state["url"], shop.secret).send("GET", "/v1/usage").json
    assert set(tally.statuses) == {200, 503}
    assert usage["calls"] == tally.statuses.count(200)
    assert usage["refused"] == {"overloaded": tally.statuses.count(503)}
