"""Inputs are stored where both sides agreed, sealed, after the answer left; and they go when they have to."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modelmint.api.service import Service
from modelmint.bootstrap import Shop, open_shop
from modelmint.kit.clock import ManualClock
from modelmint.monitoring.feedback.types import Said
from modelmint.monitoring.inputs.folder import InputFolder
from modelmint.monitoring.inputs.types import KeepRules
from modelmint.operations.erase import erase
from modelmint.operations.feedback import export_inputs, give
from modelmint.operations.keep_inputs import Keeper, Offer, sweep, withdraw
from modelmint.operations.predict import PredictRequest
from modelmint.testing.pictures import picture
from modelmint.testing.shops import furnish
from modelmint.testing.ventures import venture_text

SCAN = picture(250, side=40, noise=30, seed=7)  # bytes that nothing else holds
RULES = KeepRules(keep_days=30, share=1.0, most_bytes=10_000_000)


class House:
    """A shop that serves; ``call`` is a paid call, ``settled`` waits until nothing waits to be kept."""

    def __init__(self, root: Path, privacy: str, clock: ManualClock | None = None) -> None:
        self.root, self.furnished = root, furnish(root, venture=venture_text() + privacy, clock=clock)
        self.shop: Shop = open_shop(root, clock=clock)
        self.service = Service(self.shop)

    def call(self, *payloads: bytes) -> dict[str, object]:
        digest = hashlib.sha256(self.furnished.secret.encode()).hexdigest()
        reply = self.service.predict(PredictRequest("brightness", payloads or (SCAN,), digest)).result(120)
        found: dict[str, object] = json.loads(reply.body)
        return found

    def settled(self) -> None:
        """Closing writes what waits."""
        self.service.close()
        self.shop = open_shop(self.root)

    def agree(self, yes: bool = True) -> None:
        self.shop.books.people.set_consent(self.furnished.customer, yes)

    def files(self) -> dict[str, bytes]:
        return {str(p.relative_to(self.root)): p.read_bytes() for p in self.root.rglob("*") if p.is_file()}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    made: list[House] = []

    def make(privacy: str = "", **more: ManualClock) -> House:
        made.append(House(tmp_path / f"house{len(made)}", privacy, **more))
        return made[-1]

    yield make
    for one in made:
        one.service.close()
        one.shop.close()


STORES = "\n[privacy]\nstore_inputs = true\n"


@pytest.mark.parametrize(("privacy", "agrees"), [("", True), ("\n[privacy]\nkeep_days = 9\n", True), (STORES, False)])
def test_without_both_consents_no_byte_of_an_input_lies_anywhere_in_the_workspace(
    house: Callable[..., House], privacy: str, agrees: bool
) -> None:
    one = house(privacy)
    if agrees:
        one.agree()
    one.call()
    one.settled()
    assert list(one.shop.inputs.all()) == []
    assert [name for name, content in one.files().items() if SCAN[60:90] in content or name.endswith(".mmv")] == []


def test_with_both_consents_an_input_is_stored_sealed_for_its_owner_only(house: Callable[..., House]) -> None:
    one = house(STORES)
    one.agree()
    answer = one.call(SCAN)
    several = one.call(SCAN, picture(9))
    one.settled()
    kept = list(one.shop.inputs.all(one.furnished.customer))
    assert {item.prediction for item in kept} == {answer["id"], f"{several['id']}.0", f"{several['id']}.1"}
    found = one.shop.inputs.get(next(item for item in kept if item.prediction == answer["id"]))
    assert (found.content, found.model, found.release) == (SCAN, "brightness", one.furnished.release)
    assert [
        name for name, content in one.files().items() if SCAN[60:90] in content
    ] == []  # no file holds it in the open
    for path in [
        *(one.root / ".modelmint" / "inputs").rglob("*.mmv"),
        *(one.root / ".modelmint" / "keys").rglob("*.key"),
    ]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_withdrawing_consent_deletes_what_was_kept_and_keeps_nothing_more(house: Callable[..., House]) -> None:
    one = house(STORES)
    one.agree()
    one.call()
    one.settled()
    assert withdraw(one.shop.books, one.shop.inputs, one.furnished.customer) == 1
    again = Service(one.shop)
    again.predict(
        PredictRequest("brightness", (SCAN,), hashlib.sha256(one.furnished.secret.encode()).hexdigest())
    ).result(120)
    assert again.keeper is not None
    again.keeper.close()
    assert list(one.shop.inputs.all()) == []
    assert one.shop.inputs.total_bytes() == 0


def test_erasing_a_customer_leaves_no_stored_byte_of_it(house: Callable[..., House]) -> None:
    one = house(STORES)
    one.agree()
    one.call()
    one.settled()
    sealed = next((one.root / ".modelmint" / "inputs").rglob("*.mmv")).read_bytes()
    done = erase(one.shop.books, one.shop.inputs, one.furnished.customer, force=True)
    assert done.inputs == 1
    assert [name for name, content in one.files().items() if sealed[24:60] in content] == []
    assert not (one.root / ".modelmint" / "inputs" / one.furnished.customer).exists()


def test_inputs_go_when_their_days_are_over_and_with_a_consent_that_ended(house: Callable[..., House]) -> None:
    clock = ManualClock(datetime(2026, 11, 10, 23, 59, tzinfo=UTC))
    one = house(STORES, clock=clock)
    folder, books = one.shop.inputs, one.shop.books
    one.agree()
    keeper = Keeper(books, folder, RULES)
    keeper.offer(Offer(one.furnished.customer, "prd_old", "m", "r", (SCAN,)))
    keeper.close()
    clock.advance(timedelta(days=30))
    assert sweep(books, folder, 30) == 0  # the day it was stored is not over for thirty days
    clock.advance(timedelta(minutes=2))
    assert sweep(books, folder, 30) == 1
    keeper = Keeper(books, folder, RULES)
    keeper.offer(Offer(one.furnished.customer, "prd_new", "m", "r", (SCAN,)))
    keeper.close()
    books.people.set_consent(one.furnished.customer, False)
    assert sweep(books, folder, 30) == 1
    assert folder.total_bytes() == 0 and list(folder.all()) == []


def test_what_does_not_fit_is_not_stored_and_the_bound_holds(house: Callable[..., House]) -> None:
    one = house(STORES)
    one.agree()
    rules = KeepRules(30, 1.0, most_bytes=5 * (len(SCAN) + 120))
    keeper = Keeper(one.shop.books, one.shop.inputs, rules)
    for place in range(20):
        keeper.offer(Offer(one.furnished.customer, f"prd_{place}", "m", "r", (SCAN,)))
    keeper.close()
    on_disk = sum(item.size for item in one.shop.inputs.all())
    assert 0 < on_disk <= rules.most_bytes and on_disk == one.shop.inputs.total_bytes()
    assert keeper.kept + keeper.dropped == 20 and keeper.kept == len(list(one.shop.inputs.all()))
    waiting = Keeper(one.shop.books, one.shop.inputs, RULES, most_waiting=10)
    waiting.offer(Offer(one.furnished.customer, "prd_big", "m", "r", (SCAN,)))
    waiting.close()
    assert (waiting.kept, waiting.dropped) == (0, 1)


def test_a_disk_that_cannot_be_written_fails_no_call(house: Callable[..., House]) -> None:
    one = house(STORES)
    one.agree()
    (one.root / ".modelmint" / "inputs").write_text("in the way")
    assert one.call()["label"] == "bright"
    keeper = one.service.keeper
    one.service.close()
    assert keeper is not None and (keeper.kept, keeper.dropped) == (0, 1)


def test_a_share_of_the_calls_is_kept(house: Callable[..., House], monkeypatch: pytest.MonkeyPatch) -> None:
    one = house(STORES)
    one.agree()
    offered: list[str] = []
    monkeypatch.setattr(InputFolder, "put", lambda _, item, *more: offered.append(item.prediction) or True)
    keeper = Keeper(one.shop.books, one.shop.inputs, KeepRules(30, 0.25, 10_000_000))
    for place in range(2000):
        keeper.offer(Offer(one.furnished.customer, f"prd_{place}", "m", "r", (b"x",)))
    keeper.close()
    # Binomial(2000, 0.25) has a standard deviation of 19.4; which calls they are is fixed by their names.
    assert 440 < len(offered) < 560


def test_inputs_are_exported_as_a_dataset_by_their_truths(house: Callable[..., House], tmp_path: Path) -> None:
    one = house(STORES)
    one.agree()
    ids = [str(one.call(picture(level))["id"]) for level in (250, 5, 200)]
    one.settled()
    shop = one.shop
    for name, truth in zip(ids, ("dark", "dark"), strict=False):
        give(shop.books, shop.feedback, shop.shelf, one.furnished.customer, name, Said(truth=truth))
    give(shop.books, shop.feedback, shop.shelf, one.furnished.customer, ids[0], Said(truth="bright"))
    found = sorted(export_inputs(shop.feedback, shop.inputs, tmp_path / "out"))
    assert found == sorted([("bright", f"{ids[0]}.png"), ("dark", f"{ids[1]}.png"), ("_unlabelled", f"{ids[2]}.png")])
    assert (tmp_path / "out" / "bright" / f"{ids[0]}.png").read_bytes() == picture(250)
    lines = [json.loads(line) for line in (tmp_path / "out" / "feedback.jsonl").read_text().splitlines()]
    assert {line["prediction"]: (line["truth"], line["answer"]) for line in lines} == {
        ids[0]: ("bright", "bright"),
        ids[1]: ("dark", "dark"),
        ids[2]: (None, None),
    }


def test_labels_that_cannot_be_folders_as_they_are_stay_apart(house: Callable[..., House], tmp_path: Path) -> None:
    one = house(STORES)
    one.agree()
    truths = ("<3 mm", ">3 mm", "_unlabelled", "肺" * 200, "../..", "fine label")
    ids = [str(one.call(picture(250))["id"]) for _ in truths]
    one.settled()
    feedback, customer = one.shop.feedback, one.furnished.customer
    for name, truth in zip(ids, truths, strict=True):
        feedback.add(feedback.predicted(name, customer)[0], Said(truth=truth), answer=None)
    folders = {folder for folder, _ in export_inputs(feedback, one.shop.inputs, tmp_path / "out")}
    assert len(folders) == len(truths) and "fine label" in folders and "_unlabelled" not in folders
    assert {path.parent.parent for path in tmp_path.rglob("*.png")} == {tmp_path / "out"}
