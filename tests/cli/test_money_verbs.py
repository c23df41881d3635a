"""Payments and webhooks, typed at the shell of a shop that collects by the fake provider."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from modelmint.bootstrap import open_shop
from modelmint.kit.clock import ManualClock
from modelmint.kit.digest import digest_bytes
from modelmint.kit.period import month_of
from modelmint.testing.books import Caller
from modelmint.testing.shops import Furnished, furnish
from modelmint.testing.ventures import venture_text


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """One invoice over 20 calls is finalised and not paid."""
    text = venture_text("brightness") + '\n[billing]\nprovider = "fake"\n'
    clock = ManualClock(datetime.now(UTC) - timedelta(hours=1))
    made = furnish(tmp_path_factory.mktemp("shop") / "brightness", venture=text, clock=clock)
    with open_shop(made.root, clock=clock) as opened:
        books, customer = opened.books, opened.books.customer(made.customer)
        key = books.key_by_digest(digest_bytes(made.secret.encode()))
        Caller(books, customer, key, made.secret).call(20)
        clock.advance(timedelta(seconds=1))
        books.close_period(customer.id, month_of(clock.at), "", until_now=True)
    return made


@pytest.fixture
def typed(modelmint, shop: Furnished):
    def run(*words: str, **more):
        return modelmint("-C", str(shop.root), *words, **more)

    return run


def test_what_is_due_is_collected_once_and_listed(typed) -> None:
    (made,) = typed("payments", "collect", "--json").json["payments"]
    assert (made["state"], made["amount"]["text"]) == ("succeeded", "0.40 USD")
    assert typed("payments", "collect", "--json").json["payments"] == []
    assert "succeeded" in typed("payments", "list", "--plain").out
    refused = typed("payments", "collect", "1", "--json")
    assert (refused.code, refused.json["error"]["code"]) == (4, "nothing_due")


def test_a_webhook_is_added_tried_rotated_and_removed(typed) -> None:
    added = typed("webhooks", "add", "https://hooks.example.com/in", "--kind", "invoice.paid", "--json").json
    name = added["webhook"]["id"]
    assert added["secret"].startswith("whsec_")
    assert typed("webhooks", "test", name, "--json").json["message"].startswith("msg_")
    assert typed("webhooks", "rotate", name, "--json").json["secret"] != added["secret"]
    (waiting,) = typed("webhooks", "deliveries", "--state", "waiting", "--json").json["deliveries"]
    assert waiting["endpoint"] == name
    listed = typed("webhooks", "list", "--plain")
    assert "hooks.example.com" in listed.out and "whsec_" not in listed.out
    assert typed("webhooks", "remove", name, "--json").json["webhook"]["disabled_at"]


def test_a_customers_webhook_into_a_private_network_is_refused(typed, shop: Furnished) -> None:
    refused = typed("webhooks", "add", "https://10.0.0.1/", "--customer", shop.customer, "--json")
    assert (refused.code, refused.json["error"]["code"]) == (6, "private_address")


def test_replaying_takes_a_message_or_a_moment_with_its_zone(typed) -> None:
    assert typed("webhooks", "replay", "--since", "2026-01-01T00:00:00Z", "--json").json == {"deliveries": 0}
    both = ("msg_x", "--since", "2026-01-01T00:00:00Z")
    for words in ((), both, ("--since", "2026-01-01T00:00:00"), ("--since", "soon")):
        assert typed("webhooks", "replay", *words).code == 2, words
