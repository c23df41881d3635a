"""``modelmint serve`` as a user starts and stops it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from modelmint.bootstrap import open_shop
from modelmint.cli.demo.calls import Caller
from modelmint.testing.pictures import picture
from modelmint.testing.shops import furnish
from modelmint.testing.waiting import eventually


@contextmanager
def serving(root: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], dict]]:
    line = [sys.executable, "-m", "modelmint", "-C", str(root), "--json", "serve", *words, "--port", "0"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_tells_its_address_once_answers_paid_calls_and_stops_well(tmp_path: Path, number: signal.Signals) -> None:
    shop = furnish(tmp_path)
    with serving(tmp_path, "--workers", "1") as (process, told):
        assert told["models"] == {shop.model: f"{told['url']}/v1/models/{shop.model}/predict"}
        caller = Caller(told["url"], shop.model, shop.secret)
        reply = caller.call(picture(240))
        assert (reply.status, reply.body["label"]) == (200, "bright")
        assert caller.call(b"not a scan").status == 422
        assert caller.call(picture(240), secret="mm_wrong").status == 401
        caller.close()
        process.send_signal(number)
        rest, _ = process.communicate(timeout=240)
        assert (process.returncode, rest) == (0, "")
    with open_shop(tmp_path) as opened:
        assert [row.status for row in opened.books.outcomes()].count(200) == 1


def test_a_release_folder_copied_elsewhere_is_served_from_an_empty_folder(tmp_path: Path) -> None:
    shop = furnish(tmp_path / "here")
    copied = tmp_path / "copied-release"
    shutil.copytree(tmp_path / "here" / ".modelmint" / "releases" / shop.release, copied)
    there = tmp_path / "there"
    there.mkdir()
    with serving(there, str(copied), "--workers", "1") as (process, told):
        with open_shop(there) as opened:
            customer = opened.books.add_customer("Clinic South", "")
            opened.books.subscribe(customer.id, "payg")
            _, secret = opened.books.add_key(customer.id, "default")
        reply = Caller(told["url"], shop.model, secret).call(picture(10))
        assert (reply.status, reply.body["label"], reply.body["release"]) == (200, "dark", shop.release)
        process.terminate()
        assert process.wait(60) == 0


def test_deploying_another_release_changes_what_a_running_server_answers_and_rollback_changes_it_back(
    tmp_path: Path,
) -> None:
    from modelmint.testing.releases import brightness_release

    shop = furnish(tmp_path)
    other = brightness_release(tmp_path / ".modelmint" / "releases", sharpness=6.0)

    def typed(*words: str) -> dict:
        line = [sys.executable, "-m", "modelmint", "-C", str(tmp_path), "--json", *words]
        return json.loads(subprocess.run(line, capture_output=True, text=True).stdout)

    with serving(tmp_path, "--workers", "1") as (_, told):
        caller = Caller(told["url"], shop.model, shop.secret)
        for words, wanted in ((("deploy", other.id[:12]), other.id), (("deploy", "--rollback"), shop.release)):
            assert typed(*words)["deployments"][0]["release"] == wanted
            eventually(partial(answers_with, caller, wanted))


def answers_with(caller: Caller, release: str) -> bool:
    """Whether this release answers the next call, which somebody must."""
    reply = caller.call(picture(240))
    assert reply.status == 200
    return reply.body["release"] == release


def test_serving_an_empty_folder_says_how_to_get_a_release(tmp_path: Path) -> None:
    (tmp_path / ".modelmint").mkdir()
    line = [sys.executable, "-m", "modelmint", "-C", str(tmp_path), "--json", "serve", "--port", "0"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 3
    assert "build" in json.loads(done.stdout)["error"]["message"]


def test_serving_another_release_where_a_server_runs_is_refused_before_anything_is_deployed(tmp_path: Path) -> None:
    from modelmint.testing.releases import brightness_release

    shop = furnish(tmp_path / "here")
    other = brightness_release(tmp_path / "elsewhere", sharpness=6.0)
    with serving(tmp_path / "here", "--workers", "1") as (_, told):
        line = [sys.executable, "-m", "modelmint", "-C", str(tmp_path / "here"), "--json", "serve", str(other.path)]
        done = subprocess.run([*line, "--port", "0"], capture_output=True, text=True, timeout=240)
        assert done.returncode == 4
        assert told["url"] in json.loads(done.stdout)["error"]["message"]
        with open_shop(tmp_path / "here") as opened:
            assert [row.release for row in opened.books.deployments()] == [shop.release]
