"""The audit log and the alarms; the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from modelmint.commerce.billing.types import BillingDetails
from modelmint.commerce.people.actor import acting
from modelmint.commerce.types import Customer
from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.kit.period import month_of
from modelmint.store.books import SqlBooks
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller, some_plans

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def books(url: str, clock: ManualClock) -> Iterator[SqlBooks]:
    opened = open_books(url, clock, "reader")
    yield opened
    opened.close()


def test_a_change_is_noted_with_who_made_it(books: SqlBooks, clock: ManualClock) -> None:
    with acting("founder"):
        caller = a_caller(books)
    with acting(f"customer:{caller.customer.id}"):
        books.revoke_key(caller.key.id)
    newest = books.people.audit(caller.key.id)[0]
    assert (newest.actor, newest.action, newest.at) == (f"customer:{caller.customer.id}", "key.revoked", START)
    actions = [entry.action for entry in books.people.audit(caller.customer.id)]
    assert {"customer.added", "key.added", "key.revoked"} <= set(actions)
    assert [e.action for e in books.people.audit(actor="founder") if e.subject == caller.key.id] == ["key.added"]


def test_the_log_is_read_in_pages_newest_first_and_since_a_moment(books: SqlBooks, clock: ManualClock) -> None:
    for number in range(5):
        books.add_customer(f"Customer {number}", "")
        clock.advance(timedelta(hours=1))
    first = books.people.audit(limit=2)
    second = books.people.audit(limit=2, before=first[-1].seq)
    sequence = [entry.seq for entry in (*first, *second)]
    assert sequence == sorted(sequence, reverse=True)
    assert len(set(sequence)) == 4
    assert len(books.people.audit(since=START + timedelta(hours=3))) == 2


def test_names_and_addresses_of_people_are_not_in_the_log(books: SqlBooks) -> None:
    customer = books.add_customer("Zephyrine Quackenbush", "z@quackenbush.example")
    books.add_key(customer.id, "Zephyrines laptop")
    assert "zephyrine" not in str(books.people.audit()).lower()
    assert "quackenbush" not in str(books.people.audit()).lower()


@dataclass(frozen=True)
class Made:
    """What the changes below are made to."""

    books: SqlBooks
    clock: ManualClock
    customer: Customer
    partner: str
    #: An invoice that is owed.
    invoice: str
    key: str

    @property
    def message(self) -> str:
        """The id of a message that an endpoint hears."""
        self.books.outbox.dispatch()
        return self.books.outbox.deliveries()[0].message


SOLO = {"solo": {"per_call": "1 USD"}}
#: What must happen before the change, so that there is something to change.
BEFORE: dict[str, Callable[[Made], Any]] = {
    "contracts.resume": lambda m: m.books.contracts.pause(m.customer.id),
    "contracts.unschedule": lambda m: m.books.contracts.cancel(m.customer.id, "period_end"),
    "withdraw_plan": lambda m: m.books.put_plans([*some_plans(SOLO)], origin="api"),
    "credits.expire": lambda m: run_out(m),
    "channels.close_statement": lambda m: next_month(m),
    "channels.pay_out": lambda m: booked(m),
    "bills.close_due": lambda m: next_month(m),
    "outbox.replay": lambda m: m.books.bills.pay(m.invoice) and m.message,
}


def next_month(made: Made) -> None:
    """The month of the partner's end customer is billed, and over."""
    end = made.books.channels.add_customer(made.partner, "Clinic End", "")
    made.books.subscribe(end.id, "payg")
    Caller(made.books, end, *made.books.add_key(end.id, "first")).call(times=5)
    made.clock.advance(timedelta(seconds=1))
    made.books.close_period(end.id, month_of(START), "", until_now=True)
    made.clock.at = month_of(START).end


def booked(made: Made) -> None:
    """What the partner earned in that month."""
    next_month(made)
    made.books.channels.close_statement(made.partner, month_of(START))


def run_out(made: Made) -> None:
    """Credit that nobody used in time."""
    until = datetime(2026, 11, 11, tzinfo=UTC)
    made.books.credits.grant(made.customer.id, Money(500, "USD"), source="promotion", expires_at=until)
    made.clock.at = until + timedelta(hours=1)
    made.books.close_period(made.customer.id, month_of(START), "", until_now=True)


#: Every method that changes something, by where it stands; each leaves one entry.
CHANGES: dict[str, Callable[[Made], Any]] = {
    "add_customer": lambda m: m.books.add_customer("Clinic East", ""),
    "add_key": lambda m: m.books.add_key(m.customer.id, "till"),
    "revoke_key": lambda m: m.books.revoke_key(m.key),
    "put_plans": lambda m: m.books.put_plans([*m.books.plans(), *some_plans({"solo": {"per_call": "0.03 USD"}})]),
    "subscribe": lambda m: m.books.subscribe(m.customer.id, "clinic"),
    "deploy": lambda m: m.books.deploy("xray", "r1", "model", None),
    "close_period": lambda m: m.books.close_period(m.customer.id, month_of(START), "", until_now=True),
    "people.set_consent": lambda m: m.books.people.set_consent(m.customer.id, yes=True),
    "people.rotate": lambda m: m.books.people.rotate(m.key),
    "people.note": lambda m: m.books.people.note("console.signed_in", m.key, {}),
    "people.erase": lambda m: m.books.people.erase(m.customer.id, force=True),
    "contracts.change": lambda m: m.books.contracts.change(m.customer.id, "clinic"),
    "contracts.hold": lambda m: m.books.contracts.hold(m.customer.id, some_plans(SOLO)[0]),
    "contracts.cancel": lambda m: m.books.contracts.cancel(m.customer.id),
    "contracts.pause": lambda m: m.books.contracts.pause(m.customer.id),
    "contracts.resume": lambda m: m.books.contracts.resume(m.customer.id),
    "contracts.unschedule": lambda m: m.books.contracts.unschedule(m.customer.id),
    "withdraw_plan": lambda m: m.books.withdraw_plan("solo"),
    "credits.grant": lambda m: m.books.credits.grant(m.customer.id, Money(500, "USD"), source="promotion"),
    "credits.expire": lambda m: m.books.credits.expire(),
    "bills.credit_note": lambda m: m.books.bills.credit_note(m.invoice, "too slow", amount=Money(1, "USD")),
    "bills.set_details": lambda m: m.books.bills.set_details(m.customer.id, BillingDetails(language="zh")),
    "bills.close_due": lambda m: m.books.bills.close_due(""),
    "bills.pay": lambda m: m.books.bills.pay(m.invoice, "cash"),
    "bills.void": lambda m: m.books.bills.void(m.invoice, "mistake"),
    "bills.uncollectible": lambda m: m.books.bills.uncollectible(m.invoice, "gone"),
    "channels.close_statement": lambda m: m.books.channels.close_statement(m.partner, month_of(START)),
    "channels.pay_out": lambda m: m.books.channels.pay_out(m.partner, month_of(START)),
    "channels.add_partner": lambda m: m.books.channels.add_partner(m.customer.id, "commission", "0.1"),
    "channels.add_customer": lambda m: m.books.channels.add_customer(m.partner, "Clinic East", ""),
    "channels.add_referral": lambda m: m.books.channels.add_referral("NEWS", "newsletter"),
    "channels.withdraw_referral": lambda m: m.books.channels.withdraw_referral("FAIR"),
    "outbox.add_endpoint": lambda m: m.books.outbox.add_endpoint("founder", "https://example.org/other"),
    "outbox.disable": lambda m: m.books.outbox.disable(m.books.outbox.endpoints()[0].id),
    "outbox.replay": lambda m: m.books.outbox.replay(m.message),
    "outbox.replay_since": lambda m: m.books.outbox.replay_since(START),
    "outbox.rotate_secret": lambda m: m.books.outbox.rotate_secret(m.books.outbox.endpoints()[0].id),
}


@pytest.fixture
def made(books: SqlBooks, clock: ManualClock) -> Made:
    partner = books.channels.add_partner(books.add_customer("Reseller", "").id, "commission", "20 %")
    books.channels.add_referral("FAIR", "fairs", partner.id)
    caller = a_caller(books)
    caller.call(times=3)
    clock.advance(timedelta(seconds=1))
    (invoice,) = books.close_period(caller.customer.id, month_of(START), "", until_now=True)
    caller.call(times=2)
    clock.advance(timedelta(seconds=1))
    books.outbox.add_endpoint("founder", "https://example.org/hook")
    caller.call(times=2)
    return Made(books, clock, caller.customer, partner.id, invoice.id, caller.key.id)


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_leaves_exactly_one_entry(made: Made, name: str) -> None:
    BEFORE.get(name, lambda _: None)(made)
    before = made.books.people.audit(limit=1)[0].seq
    CHANGES[name](made)
    entries = [entry for entry in made.books.people.audit() if entry.seq > before]
    assert len(entries) == 1, [entry.action for entry in entries]


#: Methods whose rows are their own log: calls, events, deliveries, attempts, alarms; those that store nothing; and the
#: purging of old messages, which is told in the server's log.
OTHERS = {
    "reserve", "settle", "refuse", "release_stale", "close", "now", "duty_lease", "people.watch", "meters.record",
    "outbox.dispatch", "outbox.purge", "outbox.record", "outbox.test", "payments.apply", "payments.begin",
    "payments.finish", "payments.keep_reference", "credits.watch", "credits.renew",
}  # fmt: skip
READING = {
    "counts", "customer", "customers", "deployment_history", "deployments", "draft_period", "invoice", "invoices",
    "key_by_digest", "keys", "ledger", "outcomes", "plan", "plan_versions", "plans", "subscriptions", "usage",
    "bills.credit_notes", "bills.owed", "bills.status", "bills.statuses", "channels.customer", "channels.customers",
    "channels.partner", "channels.partner_of", "channels.partners", "channels.referrals", "channels.report",
    "channels.statement", "contracts.current", "contracts.preview", "contracts.scheduled", "credits.balance",
    "credits.grants", "journal.balances", "journal.entries", "journal.frozen", "journal.head", "journal.segment",
    "journal.party", "journal.verify", "meters.log", "meters.table", "outbox.deliveries", "outbox.due",
    "outbox.endpoints", "payments.attempts", "payments.collectable", "payments.reference", "payments.reports",
    "people.alarms", "people.audit", "people.consenting", "people.consents", "people.digest", "people.key",
}  # fmt: skip


def test_no_method_of_the_books_is_forgotten_here(books: SqlBooks) -> None:
    parts = ("contracts", "credits", "bills", "meters", "journal", "payments", "outbox", "people", "channels")
    found = {name for name in dir(books) if not name.startswith("_") and callable(getattr(books, name))}
    for part in parts:
        found |= {f"{part}.{name}" for name in dir(getattr(books, part)) if not name.startswith("_")}
    assert set(CHANGES) <= found
    unknown = found - set(CHANGES) - OTHERS - READING
    assert unknown == set(), "say in this file whether these leave an entry in the audit log, and test it"


def test_a_key_far_above_its_habit_raises_one_alarm_which_ends_by_itself(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    quiet = a_caller(books, name="Clinic South")
    for _ in range(2):
        for one in (caller, quiet):
            one.call(times=3)
        clock.advance(timedelta(days=1))
    assert books.people.watch() == 0
    quiet.call(times=10)
    caller.call(times=70)
    assert books.people.watch() == 1
    assert books.people.watch() == 0
    (alarm,) = books.people.alarms(open_only=True)
    assert (alarm.key, alarm.customer, alarm.kind) == (caller.key.id, caller.customer.id, "rate")
    assert alarm.data["requests"] == 70
    assert books.people.alarms("Clinic South") == []
    clock.advance(timedelta(minutes=30))
    assert books.people.watch() == 1
    assert books.people.alarms(open_only=True) == []
    assert books.people.alarms(caller.customer.id)[0].ended_at == clock.now()


def test_a_process_that_begins_to_watch_knows_the_past_and_begins_no_second_alarm(
    books: SqlBooks, clock: ManualClock, url: str
) -> None:
    caller = a_caller(books)
    for _ in range(2):
        caller.call(times=3)
        clock.advance(timedelta(days=1))
    caller.call(times=70)
    other = open_books(url, clock, "reader")
    assert other.people.watch() == 1
    assert books.people.watch() == 0
    other.close()


def test_a_key_whose_requests_are_refused_raises_an_alarm_that_webhooks_hear(
    books: SqlBooks, clock: ManualClock
) -> None:
    caller = a_caller(books)
    for _ in range(30):
        books.refuse(caller.request(), 422, "not_a_picture").result(30)
    books.outbox.add_endpoint("founder", "https://example.org/hook")
    assert books.people.watch() == 1
    (alarm,) = books.people.alarms(caller.customer.id)
    assert (alarm.kind, alarm.data["errors"], alarm.data["requests"]) == ("errors", 30, 30)
    assert books.outbox.dispatch() >= 1


def test_failures_of_ours_are_no_fault_of_a_key(books: SqlBooks, clock: ManualClock) -> None:
    caller = a_caller(books)
    for _ in range(30):
        caller.settle(caller.reserve(), 500, "engine_failed")
    assert books.people.watch() == 0
