"""Keys with scopes, partners, referral codes, channels, the audit log and erasure, typed at the shell."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from modelmint.bootstrap import open_shop
from modelmint.kit.period import month_of
from modelmint.testing.books import Caller
from modelmint.testing.shops import Furnished, furnish


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return furnish(tmp_path_factory.mktemp("shop") / "brightness")


@pytest.fixture
def typed(modelmint, shop: Furnished):
    def run(*words: str, **more):
        return modelmint("-C", str(shop.root), *words, **more)

    return run


def test_a_key_is_made_with_scopes_and_an_end_and_listed_so(typed, shop: Furnished) -> None:
    made = typed("keys", "add", shop.customer, "--scopes", "usage,predict", "--expires", "2099-12-31", "--json").json
    assert made["key"]["scopes"] == ["predict", "usage"]
    assert made["key"]["expires_at"] == "2099-12-31T00:00:00Z"
    listed = typed("keys", "list", "--plain").out
    assert "predict, usage" in listed
    assert "valid until 2099-12-31" in listed


@pytest.mark.parametrize("words", [("--scopes", "predikt"), ("--expires", "2001-01-01"), ("--expires", "soon")])
def test_a_scope_or_an_end_that_is_none_is_bad_input(typed, shop: Furnished, words: tuple[str, str]) -> None:
    assert typed("keys", "add", shop.customer, *words, "--json").code == 2


def test_a_key_is_replaced_and_the_former_one_named_with_its_end(typed, shop: Furnished) -> None:
    with open_shop(shop.root) as opened:
        former = opened.books.add_key(shop.customer, "till")[0].id
    before = datetime.now(UTC)
    made = typed("keys", "rotate", former, "--overlap-hours", "2", "--json").json
    after = datetime.now(UTC)
    assert made["key"]["replaces"] == made["former"]["id"] == former
    assert made["secret"].startswith(made["key"]["hint"])
    end = datetime.fromisoformat(made["former"]["expires_at"])
    assert before - timedelta(milliseconds=1) <= end - timedelta(hours=2) <= after  # told in milliseconds
    assert typed("keys", "rotate", made["key"]["id"], "--overlap-hours", "-1", "--json").code == 2


def test_a_partner_brings_a_customer_and_gets_its_statement(typed) -> None:
    reseller = typed("customers", "add", "Reseller", "--json").json["customer"]["id"]
    partner = typed("partners", "add", "Reseller", "--rate", "20 %", "--json").json["partner"]
    assert (partner["customer"], partner["terms"], partner["rate"]) == (reseller, "commission", "0.2")
    typed("referrals", "add", "fair-26", "--channel", "fairs", "--partner", "Reseller", "--json")
    typed("customers", "add", "Clinic Fair", "--code", "FAIR-26", "--plan", "payg", "--json")
    named = typed("partners", "customers", "Reseller", "--json").json["customers"]
    assert [(one["name"], one["channel"]) for one in named] == [("Clinic Fair", "fairs")]
    assert "20 %" in typed("partners", "list", "--plain").out
    assert typed("partners", "statement", "Reseller", "--close", "--json").code == 4


def test_a_statement_is_read_line_by_line(typed, shop: Furnished) -> None:
    with open_shop(shop.root) as opened:
        books = opened.books
        books.channels.add_partner(books.add_customer("Agent", "").id, "commission", "0.5")
        end = books.channels.add_customer("Agent", "Clinic End", "")
        books.subscribe(end.id, "payg")
        Caller(books, end, *books.add_key(end.id, "first"), shop.model).call(times=10)
        time.sleep(0.01)
        books.close_period(end.id, month_of(books.now()), "", until_now=True)
    (one,) = typed("partners", "statement", "Agent", "--json").json["statements"]
    assert (one["net"]["text"], one["share"]["text"]) == ("0.20 USD", "0.10 USD")
    shown = typed("partners", "statement", "Agent", "--plain").out
    assert "Clinic End" in shown
    assert "not booked yet" in shown
    report = {row["channel"]: row for row in typed("channels", "report", "--json").json["channels"]}
    assert report["partner"]["revenue"]["text"] == "0.20 USD"
    assert typed("channels", "report", "--csv").out.splitlines()[0].startswith("channel,currency,signups")
    assert "partner" in typed("channels", "report", "--plain").out


def test_a_statement_that_is_not_booked_is_not_paid_out(typed) -> None:
    typed("customers", "add", "Payee", "--json")
    typed("partners", "add", "Payee", "--rate", "20 %", "--json")
    nothing = typed("partners", "pay-out", "Payee", "--month", "2026-01", "--json")
    assert (nothing.code, nothing.json["error"]["code"]) == (4, "nothing_owed")
    wrong = typed("partners", "pay-out", "Payee", "--month", "2026-01", "--amount", "0 USD", "--json")
    assert (wrong.code, wrong.json["error"]["code"]) == (2, "bad_pay_out")


def test_a_withdrawn_code_brings_nobody(typed, shop: Furnished) -> None:
    with open_shop(shop.root) as opened:
        opened.books.channels.add_referral("OLD", "fairs")
    assert typed("referrals", "withdraw", "old", "--json").json["referral"]["withdrawn_at"]
    assert typed("customers", "add", "Clinic Late", "--code", "OLD", "--json").code == 3
    assert "withdrawn" in typed("referrals", "list", "--plain").out


def test_the_shell_acts_as_the_founder_and_the_log_is_read_by_name(typed) -> None:
    typed("customers", "add", "Clinic Log", "--json")
    made = typed("keys", "add", "Clinic Log", "--json").json["key"]["id"]
    entries = typed("audit", "list", "--subject", "Clinic Log", "--json").json["entries"]
    assert [(entry["actor"], entry["action"]) for entry in entries] == [
        ("founder", "key.added"),
        ("founder", "customer.added"),
    ]
    assert entries[0]["subject"] == made
    assert (
        "No entries" in (shown := typed("audit", "list", "--since", "2099-01-01", "--plain").out)
        or "0 entries" in shown
    )


def test_alarms_are_listed(typed) -> None:
    assert typed("alarms", "list", "--open", "--json").json == {"alarms": []}


def test_erasing_is_asked_for_twice_and_leaves_no_name(typed, shop: Furnished) -> None:
    with open_shop(shop.root) as opened:
        customer = opened.books.add_customer("Zephyrine Quackenbush", "z@quackenbush.example").id
    assert typed("customers", "erase", customer, "--json").code == 2
    done = typed("customers", "erase", customer, "--yes", "--json").json["erasure"]
    assert done["pseudonym"].startswith("erased-")
    assert done["scrubbed"] is True
    folder = Path(shop.root) / ".modelmint"
    content = b"".join(file.read_bytes() for file in folder.glob("books.sqlite*")).lower()
    assert b"quackenbush" not in content
