"""Taking money with the fake provider, the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.payments.errors import NothingDue, PaymentUnderWay, ProviderUnavailable
from modelmint.commerce.payments.fake import FakeProvider
from modelmint.commerce.payments.types import Answer, Attempt, PaymentEvent, ReturnUrls
from modelmint.commerce.webhooks.errors import ForgedWebhook
from modelmint.commerce.webhooks.signing import headers, new_secret
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.kit.period import month_of
from modelmint.operations.collect import checkout, collect, collect_due, deliver_fakes, receive
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.store.schema import invoice_events, messages, payment_events
from modelmint.testing.books import a_caller

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
URLS = ReturnUrls("https://shop.example/thanks", "https://shop.example/back")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


@pytest.fixture
def fake(tmp_path: Path) -> FakeProvider:
    return FakeProvider(tmp_path / "fake", new_secret())


def billed(books: SqlBooks, clock: ManualClock, name: str = "Clinic North") -> Invoice:
    """An invoice over 20 x 0.02 USD."""
    caller = a_caller(books, name=name)
    caller.call(20)
    clock.advance(timedelta(seconds=1))
    (invoice,) = books.close_period(caller.customer.id, month_of(clock.at), "", until_now=True)
    return invoice


def statuses(books: SqlBooks, invoice: str) -> list[str]:
    query = select(invoice_events.c.status).where(invoice_events.c.invoice == invoice).order_by(invoice_events.c.seq)
    with books._database.read() as connection:
        return list(connection.scalars(query))


def told(books: SqlBooks, prefix: str = "payment") -> list[str]:
    query = select(messages.c.kind).where(messages.c.kind.startswith(prefix)).order_by(messages.c.seq)
    with books._database.read() as connection:
        return list(connection.scalars(query))


def balance(books: SqlBooks, account: str) -> int:
    return books.journal.balances().get((account, "USD"), Money(0, "USD")).minor


def event(attempt: Attempt, kind: str, minor: int = 40, **more: Any) -> PaymentEvent:
    given: dict[str, Any] = {"id": f"evt_{kind}_{minor}", "at": START, "reason": ""}
    given |= {"amount": Money(minor, "USD"), "reference": attempt.id, **more}
    return PaymentEvent(provider="fake", kind=f"payment.{kind}", **given)


def test_an_invoice_is_collected_paid_and_posted(books: SqlBooks, clock: ManualClock, fake: FakeProvider) -> None:
    invoice = billed(books, clock)
    (attempt,) = collect_due(books, fake)
    assert (attempt.state, attempt.amount, attempt.invoice) == ("succeeded", Money(40, "USD"), invoice.id)
    assert statuses(books, invoice.id) == ["paid"]
    assert balance(books, f"receivable:{invoice.customer}") == 0
    assert (balance(books, "cash:fake"), balance(books, "fees:fake")) == (40, 0)
    assert told(books) == ["payment.succeeded"]
    assert collect_due(books, fake) == []
    assert books.journal.verify().findings == ()


def test_the_webhooks_of_a_payment_come_twice_and_change_nothing_more(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider
) -> None:
    invoice = billed(books, clock)
    attempt = collect(books, fake, invoice.id)
    came = fake.webhooks(clock.now())
    assert len(came) == 2
    assert [receive(books, fake, *one) for one in came] == [True, False]
    assert statuses(books, invoice.id) == ["paid"]
    assert [one.state for one in books.payments.attempts()] == ["succeeded"]
    assert balance(books, "cash:fake") == attempt.amount.minor


def test_a_refused_card_is_asked_again_after_one_three_five_and_seven_days_and_given_up(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider
) -> None:
    invoice = billed(books, clock, "Clinic (declines)")
    asked = []
    for _ in range(40):
        asked += [clock.at for _ in collect_due(books, fake)]
        clock.advance(timedelta(days=1))
    assert [(after - before).days for before, after in itertools.pairwise(asked)] == [1, 3, 5, 7]
    assert statuses(books, invoice.id) == ["payment_failed"] * 5 + ["uncollectible"]
    assert told(books) == ["payment.failed"] * 5
    assert balance(books, f"receivable:{invoice.customer}") == 40


def test_a_card_that_declines_twice_is_paid_at_the_third_attempt(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider
) -> None:
    invoice = billed(books, clock, "Clinic (declines twice)")
    for _ in range(6):
        collect_due(books, fake)
        clock.advance(timedelta(days=1))
    assert [one.state for one in books.payments.attempts()] == ["succeeded", "failed", "failed"]
    assert statuses(books, invoice.id) == ["payment_failed", "payment_failed", "paid"]
    assert balance(books, "cash:fake") == 40


def test_the_founder_may_ask_again_before_the_wait_is_over(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider
) -> None:
    invoice = billed(books, clock, "Clinic (declines once)")
    collect(books, fake, invoice.id)
    with pytest.raises(PaymentUnderWay, match="2026-11-11"):
        collect(books, fake, invoice.id)
    assert collect(books, fake, invoice.id, early=True).state == "succeeded"
    with pytest.raises(NothingDue):
        collect(books, fake, invoice.id, early=True)


def test_a_slow_payment_is_paid_when_the_webhook_says_so(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider
) -> None:
    invoice = billed(books, clock, "Clinic (slow)")
    assert collect(books, fake, invoice.id).state == "pending"
    assert statuses(books, invoice.id) == []
    assert books.payments.collectable() == []
    with pytest.raises(PaymentUnderWay):
        collect(books, fake, invoice.id)
    deliver_fakes(books, fake)
    assert statuses(books, invoice.id) == ["paid"]
    assert (balance(books, "cash:fake"), balance(books, f"receivable:{invoice.customer}")) == (40, 0)


def test_a_webhook_that_is_faster_than_the_answer_pays_once(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider
) -> None:
    invoice = billed(books, clock)
    attempt = books.payments.begin(invoice.id, "fake")
    assert books.payments.apply(event(attempt, "succeeded"))
    books.payments.finish(attempt.id, Answer("succeeded", "ref_1"))
    assert statuses(books, invoice.id) == ["paid"]
    assert balance(books, "cash:fake") == 40
    assert books.payments.attempts()[0].reference == "ref_1"


def test_whatever_the_order_a_success_stays_a_success(books: SqlBooks, clock: ManualClock) -> None:
    for number, order in enumerate(itertools.permutations(["failed", "succeeded", "refunded"])):
        invoice = billed(books, clock, f"Clinic {number}")
        attempt = books.payments.begin(invoice.id, "fake")
        for kind in order:
            made = event(attempt, kind, 15 if kind == "refunded" else 40)
            for _ in range(2):
                books.payments.apply(replace(made, id=f"{made.id}_{number}"))
        (found,) = books.payments.attempts(invoice.id)
        assert (found.state, found.refunded, found.next_at) == ("succeeded", Money(15, "USD"), None), order
        assert balance(books, f"receivable:{invoice.customer}") == 15
        assert statuses(books, invoice.id)[-1] == "paid"
    assert balance(books, "cash:fake") == 6 * 25
    assert books.journal.verify().findings == ()


def test_refunds_say_how_much_went_back_so_far_so_an_old_one_that_comes_late_changes_nothing(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider
) -> None:
    invoice = billed(books, clock)
    attempt = collect(books, fake, invoice.id)
    for total in (30, 10, 40):
        books.payments.apply(event(attempt, "refunded", total))
    assert balance(books, "cash:fake") == 0
    assert balance(books, f"receivable:{invoice.customer}") == 40
    assert books.payments.attempts()[0].refunded == Money(40, "USD")


@pytest.mark.parametrize("seed", range(3))
def test_any_mix_of_repeated_and_reordered_webhooks_comes_to_the_same(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider, seed: int
) -> None:
    invoice = billed(books, clock, "Clinic (declines once)")
    collect(books, fake, invoice.id)
    paid = collect(books, fake, invoice.id, early=True)
    fake.refund(paid, Money(5, "USD"), clock.now())
    came = fake.webhooks(clock.now()) * 3
    random.Random(seed).shuffle(came)
    assert sum(receive(books, fake, *one) for one in came) == 3
    assert balance(books, "cash:fake") == 35
    assert statuses(books, invoice.id) == ["payment_failed", "paid"]


def test_a_forged_or_old_webhook_is_refused_and_nothing_is_stored(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider
) -> None:
    invoice = billed(books, clock, "Clinic (slow)")
    collect(books, fake, invoice.id)
    (given, body), _ = fake.webhooks(clock.now())
    stranger = headers([new_secret()], "evt_1", int(clock.now().timestamp()), body)
    for wrong, content in ((stranger, body), ({}, body), (given, body.replace(b"40", b"41"))):
        with pytest.raises(ForgedWebhook):
            receive(books, fake, wrong, content)
    clock.advance(timedelta(seconds=301))
    with pytest.raises(ForgedWebhook):
        receive(books, fake, given, body)
    with books._database.read() as connection:
        assert connection.execute(select(payment_events)).all() == []
    assert statuses(books, invoice.id) == []


def test_an_event_about_nothing_of_ours_is_noted_and_passed_over(books: SqlBooks, clock: ManualClock) -> None:
    invoice = billed(books, clock)
    attempt = books.payments.begin(invoice.id, "fake")
    assert books.payments.apply(event(replace(attempt, id="att_of_another_shop"), "succeeded"))
    assert books.payments.apply(event(replace(attempt, id=""), "succeeded", 41))
    assert books.payments.apply(event(attempt, "disputed"))
    euros = replace(event(attempt, "succeeded", 42), amount=Money(40, "EUR"))
    assert books.payments.apply(euros)
    assert statuses(books, invoice.id) == []
    assert balance(books, "cash:fake") == 0


class Dies(FakeProvider):
    """The process is killed after the provider took the money and before it could note so."""

    def collect(self, invoice: Invoice, customer: str, attempt: Attempt) -> Answer:
        super().collect(invoice, customer, attempt)
        raise ProviderUnavailable("killed")


def test_after_a_crash_between_asking_and_the_answer_the_same_attempt_is_asked_again(
    books: SqlBooks, clock: ManualClock, tmp_path: Path
) -> None:
    secret = new_secret()
    dying, fake = Dies(tmp_path / "fake", secret), FakeProvider(tmp_path / "fake", secret)
    invoice = billed(books, clock)
    with pytest.raises(ProviderUnavailable):
        collect(books, dying, invoice.id)
    with pytest.raises(PaymentUnderWay):  # it may still be running
        collect(books, fake, invoice.id)
    clock.advance(timedelta(minutes=11))
    (attempt,) = collect_due(books, fake)
    assert attempt.state == "succeeded"
    assert len(books.payments.attempts()) == 1
    assert len(list((tmp_path / "fake" / "charges").iterdir())) == 1
    assert (balance(books, "cash:fake"), statuses(books, invoice.id)) == (40, ["paid"])


def test_what_was_made_void_after_a_crash_is_not_asked_for_again(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider, tmp_path: Path
) -> None:
    invoice = billed(books, clock)
    books.payments.begin(invoice.id, "fake")  # and the process died before it asked
    books.bills.void(invoice.id, "mistaken")
    clock.advance(timedelta(days=2))
    assert collect_due(books, fake) == []
    with pytest.raises(NothingDue):
        collect(books, fake, invoice.id, early=True)
    assert not (tmp_path / "fake" / "charges").exists()


def test_money_for_what_was_made_void_meanwhile_is_the_customers_credit(books: SqlBooks, clock: ManualClock) -> None:
    invoice = billed(books, clock)
    attempt = books.payments.begin(invoice.id, "fake")
    books.bills.void(invoice.id, "mistaken")
    books.payments.apply(event(attempt, "succeeded"))
    assert balance(books, f"receivable:{invoice.customer}") == -40
    assert statuses(books, invoice.id) == ["void"]
    assert books.journal.verify().findings == ()


def test_a_credit_note_lowers_what_is_asked_for(books: SqlBooks, clock: ManualClock, fake: FakeProvider) -> None:
    invoice = billed(books, clock)
    books.bills.credit_note(invoice.id, "goodwill", amount=Money(10, "USD"))
    assert collect(books, fake, invoice.id).amount == Money(30, "USD")
    assert statuses(books, invoice.id) == ["paid"]
    assert balance(books, f"receivable:{invoice.customer}") == 0


def test_an_invoice_paid_by_hand_is_not_asked_for(books: SqlBooks, clock: ManualClock, fake: FakeProvider) -> None:
    invoice = billed(books, clock)
    books.bills.pay(invoice.id, "wire 12")
    assert collect_due(books, fake) == []
    assert books.payments.attempts() == []


def test_many_collectors_at_once_charge_every_invoice_once(
    books: SqlBooks, clock: ManualClock, url: str, tmp_path: Path
) -> None:
    secret = new_secret()
    for number in range(4):
        billed(books, clock, f"Clinic {number}")
    others = [open_books(url, clock) for _ in range(4)]
    made: list[Attempt] = []

    def go(own: SqlBooks) -> None:
        made.extend(collect_due(own, FakeProvider(tmp_path / "fake", secret)))

    threads = [threading.Thread(target=go, args=(own,)) for own in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for own in others:
        own.close()
    assert sorted(one.state for one in made) == ["succeeded"] * 4
    assert len(list((tmp_path / "fake" / "charges").iterdir())) == len(books.payments.attempts()) == 4
    assert balance(books, "cash:fake") == 160


_COLLECTOR = """
import sys
from pathlib import Path
from modelmint.commerce.payments.fake import FakeProvider
from modelmint.operations.collect import collect_due
from modelmint.store.open import open_books
url, folder, secret = sys.argv[1:]
books = open_books(url)
print("ready", flush=True)
sys.stdin.readline()
print(len(collect_due(books, FakeProvider(Path(folder), secret))), flush=True)
books.close()
"""


def test_two_processes_that_collect_at_once_charge_every_invoice_once(
    books: SqlBooks, clock: ManualClock, url: str, tmp_path: Path
) -> None:
    for number in range(3):
        billed(books, clock, f"Clinic {number}")
    words = [sys.executable, "-c", _COLLECTOR, url, str(tmp_path / "fake"), new_secret()]
    collectors = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for one in collectors:
        assert one.stdout is not None and one.stdout.readline() == "ready\n"
    for one in collectors:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    assert sum(int(one.communicate(timeout=60)[0]) for one in collectors) == 3
    assert len(list((tmp_path / "fake" / "charges").iterdir())) == 3
    assert balance(books, "cash:fake") == 120


def test_an_invoice_that_cannot_be_asked_for_holds_up_no_other(
    books: SqlBooks, clock: ManualClock, tmp_path: Path
) -> None:
    broken = billed(books, clock, "Clinic Broken")
    fine = billed(books, clock, "Clinic Fine")

    class Flaky(FakeProvider):
        def collect(self, invoice: Invoice, customer: str, attempt: Attempt) -> Answer:
            if invoice.id == broken.id:
                raise ProviderUnavailable("try later")
            return super().collect(invoice, customer, attempt)

    collect_due(books, Flaky(tmp_path / "fake", new_secret()))
    assert (statuses(books, broken.id), statuses(books, fine.id)) == ([], ["paid"])


def test_a_page_to_pay_on_stays_one_page_and_keeps_collecting_away(
    books: SqlBooks, clock: ManualClock, fake: FakeProvider
) -> None:
    invoice = billed(books, clock, "Clinic (slow)")
    attempt = books.payments.begin(invoice.id, "fake", kind="checkout")
    assert books.payments.begin(invoice.id, "fake", kind="checkout").id == attempt.id
    assert books.payments.collectable() == []
    with pytest.raises(PaymentUnderWay):
        books.payments.begin(invoice.id, "fake")
    clock.advance(timedelta(hours=25))  # the page has closed
    assert books.payments.collectable() == [invoice.id]
    assert books.payments.begin(invoice.id, "fake").kind == "collect"


def test_paying_on_the_providers_page_pays_the_invoice(books: SqlBooks, clock: ManualClock, fake: FakeProvider) -> None:
    invoice = billed(books, clock)
    page = checkout(books, fake, invoice.id, URLS)
    assert page.url.startswith("https://pay.invalid/")
    assert statuses(books, invoice.id) == ["paid"]
    with pytest.raises(NothingDue):
        checkout(books, fake, invoice.id, URLS)


def test_money_that_comes_twice_is_booked_and_marked_as_too_much(books: SqlBooks, clock: ManualClock) -> None:
    invoice = billed(books, clock)
    page = books.payments.begin(invoice.id, "fake", kind="checkout")
    clock.advance(timedelta(hours=25))
    asked = books.payments.begin(invoice.id, "fake")
    books.payments.finish(asked.id, Answer("succeeded"))
    books.payments.apply(event(page, "succeeded"))
    assert balance(books, f"receivable:{invoice.customer}") == -40
    assert statuses(books, invoice.id) == ["paid"]
    excess = [entry for entry in books.people.audit() if entry.data.get("excess")]
    assert [entry.subject for entry in excess] == [invoice.id]


def test_a_part_that_was_paid_leaves_the_rest_owed(books: SqlBooks, clock: ManualClock, fake: FakeProvider) -> None:
    invoice = billed(books, clock)
    attempt = books.payments.begin(invoice.id, "fake")
    books.payments.apply(event(attempt, "succeeded", 15))
    assert statuses(books, invoice.id) == []
    assert collect(books, fake, invoice.id).amount == Money(25, "USD")
    assert statuses(books, invoice.id) == ["paid"]
    assert balance(books, f"receivable:{invoice.customer}") == 0
