"""What one caller may ask of a process: requests to JSON routes, batches of events, documents to print."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import httpx
import pytest

from modelmint.api.app import Application, create_app
from modelmint.api.errors import TooManyBatches, TooManyRequests
from modelmint.api.throttle import BATCHES_WAITING, BURST, EVENTS_PER_SECOND, SMALL_BATCH, Buckets, Throttle, address_of
from modelmint.api.turns import Turns
from modelmint.bootstrap import open_shop
from modelmint.commerce.errors import Unauthenticated
from modelmint.operations import printing
from modelmint.operations.printing import Printer, PrinterBusy
from modelmint.testing.shops import Furnished, furnish

CLIENT = ("203.0.113.7", 1)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return furnish(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def opened(furnished: Furnished) -> Iterator[Application]:
    app = create_app(open_shop(furnished.root))
    yield app
    app.service.close()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(opened: Application, clock: Clock) -> Application:
    """Nobody has asked anything yet, and time stands still."""
    opened.service.throttle = Throttle(opened.service.admin_token, clock)
    return opened


def ask(app: Application, path: str, key: str = "", client: tuple[str, int] = CLIENT, **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=client, raise_app_exceptions=False)
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **more.pop("headers", {})}
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
            return await http.request(more.pop("method", "GET"), path, headers=headers, **more)

    return asyncio.run(once())


def test_a_key_is_stopped_after_its_burst_alone_and_goes_on_when_it_is_told(
    app: Application, furnished: Furnished, clock: Clock
) -> None:
    books = app.service.shop.books
    _, other = books.add_key(books.add_customer("Other", "").id, "k")
    found = [ask(app, "/v1/keys", furnished.secret).status_code for _ in range(BURST + 1)]
    assert found == [200] * BURST + [429]
    refused = ask(app, "/v1/usage", furnished.secret)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert int(refused.headers["retry-after"]) >= 1
    assert ask(app, "/v1/keys", other).status_code == 200  # from the same address
    clock.now += int(refused.headers["retry-after"])
    assert ask(app, "/v1/keys", furnished.secret).status_code == 200


def test_whoever_tries_keys_out_is_stopped_by_address_before_the_books_are_asked(
    app: Application, furnished: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(app, "/v1/keys", furnished.secret).status_code == 200
    found = [ask(app, "/v1/keys", f"mm_guess{number}").status_code for number in range(BURST + 1)]
    assert found == [401] * BURST + [429]
    looked: list[str] = []
    monkeypatch.setattr(type(app.service.shop.books), "key_by_digest", lambda _, digest: looked.append(digest))
    for path in ("/v1/keys", "/v1/events", "/admin/v1/customers", "/v1/plans"):
        assert ask(app, path, "mm_another").status_code == 429
    assert ask(app, "/v1/events", "mm_another", method="POST", content=b"x").status_code == 429
    assert ask(app, "/webhooks/fake", method="POST", content=b"x").status_code == 429
    assert looked == []
    monkeypatch.undo()
    assert ask(app, "/v1/keys", furnished.secret).status_code == 200  # a key that was found valid goes on
    assert ask(app, "/v1/plans", client=("203.0.113.8", 1)).status_code == 200


def test_wrong_founders_tokens_and_requests_without_a_key_count_for_the_address(app: Application) -> None:
    assert {ask(app, "/admin/v1/keys", "mma_wrong").status_code for _ in range(BURST // 2)} == {401}
    assert {ask(app, "/v1/plans").status_code for _ in range(BURST // 2)} == {200}
    assert ask(app, "/v1/plans").status_code == 429


def test_the_founder_and_load_balancers_are_never_stopped(app: Application) -> None:
    token = app.service.admin_token
    assert {ask(app, "/admin/v1/keys", token).status_code for _ in range(BURST * 2)} == {200}
    assert {ask(app, "/v1/plans", token).status_code for _ in range(BURST * 2)} == {200}
    assert {ask(app, "/healthz/live").status_code for _ in range(BURST * 2)} == {200}


def test_a_key_that_is_revoked_is_a_stranger_again(app: Application) -> None:
    books = app.service.shop.books
    key, secret = books.add_key(books.add_customer("Left", "").id, "k")
    assert ask(app, "/v1/keys", secret).status_code == 200
    books.revoke_key(key.id)
    assert [ask(app, "/v1/keys", secret).status_code for _ in range(BURST + 1)] == [401] * BURST + [429]


def test_an_address_is_the_callers_and_of_ipv6_its_network() -> None:
    def of(client: str) -> str:
        # What a caller says of itself is not asked here: the server believes proxies that it knows, and no other.
        return address_of({"client": (client, 1), "headers": [(b"x-forwarded-for", b"203.0.113.9")]})

    assert of("198.51.100.5") == "198.51.100.5"
    assert of("2001:db8:1:2:3::4") == of("2001:db8:1:2:ffff::") != of("2001:db8:1:3::")
    assert address_of({"client": None, "headers": []}) == ""


def test_buckets_forget_whom_they_have_not_seen_for_longest_and_no_refusal_makes_the_wait_longer(clock: Clock) -> None:
    buckets = Buckets(clock)
    for _ in range(BURST * 5):
        buckets.take("a")
    assert 0 < buckets.wait("a") <= 1
    for number in range(30_000):
        buckets.take(str(number))
    assert len(buckets._full) == 20_000 and "a" not in buckets


def test_a_visit_ends_as_it_should() -> None:
    throttle = Throttle("mma_x", lambda: 0.0)
    scope = {"client": CLIENT, "headers": [(b"authorization", b"Bearer mm_k")]}
    for _ in range(BURST):
        visit = throttle.enter(scope, counted=False)
        visit.refused(Unauthenticated("x"))
    with pytest.raises(TooManyRequests):
        throttle.enter(scope, counted=False)


def test_batches_of_one_customer_are_recorded_one_at_a_time_and_too_many_are_refused() -> None:
    async def race() -> tuple[int, int]:
        turns, most, under_way, refused = Turns(), 0, 0, 0

        async def batch() -> None:
            nonlocal most, under_way, refused
            try:
                async with turns.place("cus_1"), turns.turn("cus_1", 10):
                    under_way += 1
                    most = max(most, under_way)
                    await asyncio.sleep(0)
                    under_way -= 1
            except TooManyBatches:
                refused += 1

        await asyncio.gather(*(batch() for _ in range(BATCHES_WAITING + 3)))
        return most, refused

    assert asyncio.run(race()) == (1, 3)


def test_large_batches_of_different_customers_leave_room_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = 0.0, []

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    monkeypatch.setattr("modelmint.api.turns.asyncio.sleep", sleep)

    async def two() -> None:
        nonlocal now
        turns = Turns(lambda: now)
        for customer in ("cus_1", "cus_2"):
            async with turns.place(customer), turns.turn(customer, SMALL_BATCH + 1) as counted:
                now += 0.25
                counted.append(10_000)
        async with turns.place("cus_2"), turns.turn("cus_2", 10):
            pass

    asyncio.run(two())
    assert slept == [0, 0, 0, 0.25, 10_000 / EVENTS_PER_SECOND]


def test_what_holds_no_events_counts_all_the_same_and_a_failed_batch_lets_the_next_one_in() -> None:
    async def run() -> float:
        turns = Turns(lambda: 0.0)
        with pytest.raises(ValueError, match="unread"):
            async with turns.place("cus_1"), turns.turn("cus_1", 10 * 2**20):
                raise ValueError("unread")
        return turns._queues["cus_1"].free_at

    assert asyncio.run(run()) > 1


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Printing that takes until the event is set."""
    go = threading.Event()

    def slow(*_: object) -> bytes:
        assert go.wait(240)
        return b"%PDF-"

    monkeypatch.setattr(printing, "paper_pdf", slow)
    yield go
    go.set()


def test_documents_are_printed_by_one_thread_and_a_full_queue_is_refused(held: threading.Event) -> None:
    before = _printers()
    printer: Any = Printer(most=3)
    made: list[Future[bytes]] = [printer.print(None, "en") for _ in range(3)]
    with pytest.raises(PrinterBusy) as refusal:
        printer.print(None, "en")
    assert refusal.value.retry_after is not None and refusal.value.retry_after > 0
    assert len(_printers() - before) == 1
    held.set()
    assert [one.result(120) for one in made] == [b"%PDF-"] * 3
    assert printer.print(None, "en").result(120) == b"%PDF-"


def _printers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("modelmint-printer")}


def test_other_routes_answer_while_more_documents_are_wanted_than_threads_exist(
    app: Application, furnished: Furnished, held: threading.Event
) -> None:
    books, token = app.service.shop.books, app.service.admin_token
    body = {"period": f"{books.now():%Y-%m}", "until_now": True}
    number = _an_invoice(app, furnished, token, body)

    async def many() -> list[int]:
        transport = httpx.ASGITransport(app=app, client=CLIENT, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers, timeout=60) as http:
            path = f"/admin/v1/invoices/{number}?format=pdf"
            printed = [asyncio.create_task(http.get(path)) for _ in range(40)]
            while sum(one.done() for one in printed) < 40 - printing.MOST_WAITING:
                await asyncio.sleep(0.01)
            assert (await http.get("/v1/plans")).status_code == 200
            held.set()
            return [(await one).status_code for one in printed]

    statuses = asyncio.run(many())
    assert statuses.count(200) == printing.MOST_WAITING and statuses.count(503) == 40 - printing.MOST_WAITING


def _an_invoice(app: Application, furnished: Furnished, token: str, body: dict[str, Any]) -> int:
    from modelmint.testing.pictures import picture

    secret, path = furnished.secret, f"/v1/models/{furnished.model}/predict"
    image = {"Content-Type": "image/png"}
    assert ask(app, path, secret, method="POST", content=picture(9), headers=image).status_code == 200
    close = f"/admin/v1/customers/{furnished.customer}/invoices"
    made = ask(app, close, token, method="POST", json=body)
    assert made.status_code == 201, made.text
    return int(made.json()["invoices"][0]["number"])
