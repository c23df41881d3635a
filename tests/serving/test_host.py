"""All models of a process: hot swap, damaged bundles, the choice of engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelmint.kit.clock import ManualClock
from modelmint.kit.machine import this_machine
from modelmint.releases import statements
from modelmint.releases.bundle import Release
from modelmint.releases.errors import DamagedRelease, ReleaseNotFound, UnknownModel
from modelmint.releases.shelf import Shelf
from modelmint.serving.errors import NotServed, Stopping
from modelmint.serving.host import ModelHost
from modelmint.serving.loading import FALLBACK, engine_choice
from modelmint.serving.types import EngineChoice, HostLimits, Target
from modelmint.testing.pictures import picture
from modelmint.testing.releases import brightness_release


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "releases")


@pytest.fixture
def host(shelf: Shelf) -> Iterator[ModelHost]:
    host = ModelHost(shelf, HostLimits())
    yield host
    host.close()


def target(release: Release, name: str = "brightness", variant: str | None = None) -> Target:
    return Target(name, release.id, "brightness", variant)


def test_a_pointed_name_answers_and_says_which_release_did(shelf: Shelf, host: ModelHost) -> None:
    release = brightness_release(shelf.root)
    assert host.point([target(release)]) == {}
    answer = host.submit("brightness", [picture(250), picture(4)]).result(timeout=60)
    assert [prediction.label for prediction in answer.predictions] == ["bright", "dark"]
    assert (answer.release, answer.variant, answer.use) == (release.id, "default", "for tests only")


def test_an_unknown_name_is_refused_with_the_nearest_one(shelf: Shelf, host: ModelHost) -> None:
    host.point([target(brightness_release(shelf.root))])
    with pytest.raises(NotServed, match="did you mean 'brightness'"):
        host.submit("brightnes", [picture(1)])


def test_a_hundred_swaps_under_load_lose_no_call(shelf: Shelf, host: ModelHost) -> None:
    releases = [brightness_release(shelf.root), brightness_release(shelf.root, sharpness=8.0)]
    host.point([target(releases[0])])
    done, seen, failures = threading.Event(), set[str](), list[BaseException]()

    def call() -> None:
        while not done.is_set():
            try:
                seen.add(host.submit("brightness", [picture(250)]).result(timeout=60).release)
            except BaseException as error:
                failures.append(error)

    clients = [threading.Thread(target=call) for _ in range(4)]
    for client in clients:
        client.start()
    turn = 0
    while not failures and (turn < 100 or len(seen) < 2):  # the clients have met both, however seldom they get a turn
        turn += 1
        wanted = releases[turn % 2]
        host.point([target(wanted)])
        assert host.submit("brightness", [picture(1)]).result(timeout=60).release == wanted.id
    done.set()
    for client in clients:
        client.join()
    assert failures == []
    assert seen == {release.id for release in releases}
    assert host.figures().items > 100


def test_two_names_for_one_release_share_one_lane_and_a_dropped_name_is_unknown(shelf: Shelf, host: ModelHost) -> None:
    release = brightness_release(shelf.root)
    host.point([target(release), target(release, "alias")])
    assert host.lane("brightness") is host.lane("alias")
    host.point([target(release, "alias")])
    assert host.submit("alias", [picture(250)]).result(timeout=60).predictions[0].label == "bright"
    with pytest.raises(NotServed):
        host.submit("brightness", [picture(250)])


def test_what_cannot_be_loaded_leaves_its_name_where_it_was(shelf: Shelf, host: ModelHost) -> None:
    good = brightness_release(shelf.root)
    bad = brightness_release(shelf.root, sharpness=6.0)
    graph = next(bad.path.rglob("*.onnx"))
    graph.write_bytes(graph.read_bytes()[:-1] + b"?")
    host.point([target(good)])
    failures = host.point([target(bad), Target("gone", "0" * 64, "brightness", None)])
    assert isinstance(failures["brightness"], DamagedRelease)
    assert isinstance(failures["gone"], ReleaseNotFound)
    assert host.submit("brightness", [picture(250)]).result(timeout=60).release == good.id


def test_a_variant_that_the_release_lacks_is_a_failure_of_that_name(shelf: Shelf, host: ModelHost) -> None:
    failures = host.point([target(brightness_release(shelf.root), variant="tiny")])
    assert isinstance(failures["brightness"], UnknownModel)


def test_a_closed_host_takes_no_calls(shelf: Shelf) -> None:
    host = ModelHost(shelf, HostLimits())
    host.point([target(brightness_release(shelf.root))])
    host.close()
    with pytest.raises(Stopping):
        host.submit("brightness", [picture(1)])
    with pytest.raises(Stopping):
        host.point([])


def test_the_engine_is_the_one_the_newest_cost_statement_of_this_machine_names(shelf: Shelf, tmp_path: Path) -> None:
    release = brightness_release(shelf.root)
    assert engine_choice(release, "brightness", "default") == FALLBACK
    clock = ManualClock(datetime(2026, 11, 1, tzinfo=UTC))
    here = this_machine().fingerprint

    def state(day: int, machine: str, body: dict[str, object]) -> None:
        clock.at = datetime(2026, 11, day, tzinfo=UTC)
        statements.add(release, "cost", body, tmp_path / "key.pem", machine, clock)

    state(2, here, {"engine": "onnxruntime", "threads": 4})
    state(3, "another machine", {"engine": "onnxruntime", "threads": 64})
    assert engine_choice(release, "brightness", "default") == EngineChoice("onnxruntime", 4)
    state(4, here, {"models": {"brightness": {"engine": "onnxruntime", "threads": 2}}})
    assert engine_choice(release, "brightness", "default") == EngineChoice("onnxruntime", 2)
    state(5, here, {"engine": "no-such-engine", "threads": 2})
    assert engine_choice(release, "brightness", "default") == FALLBACK
