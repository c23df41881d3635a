"""Credit, bills and billing details, typed at the shell of a real shop."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from modelmint.bootstrap import open_shop
from modelmint.commerce.types import AdmissionRequest, Settlement
from modelmint.kit.clock import ManualClock, SystemClock
from modelmint.kit.digest import digest_bytes
from modelmint.testing.shops import Furnished, furnish


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """For all tests here."""
    return ten_calls(tmp_path_factory.mktemp("shop") / "brightness")


def ten_calls(root: Path) -> Furnished:
    """Ten paid calls forty days ago."""
    clock = ManualClock(SystemClock().now() - timedelta(days=40))
    made = furnish(root, clock=clock)
    with open_shop(made.root, clock=clock) as opened:
        books = opened.books
        customer = books.add_customer("Clinic West", "")
        books.subscribe(customer.id, "payg")
        _, secret = books.add_key(customer.id, "first")
        asked = AdmissionRequest(digest_bytes(secret.encode()), made.model, 10, 10)
        admitted = books.reserve(asked).decided.result()
        books.settle(Settlement(admitted.reservation, 200, "ok", calls=10, items=10)).result()
    return made


@pytest.fixture
def typed(modelmint, shop: Furnished):
    def run(*words: str, **more):
        return modelmint("-C", str(shop.root), *words, **more)

    return run


def test_a_bill_is_closed_paid_by_hand_and_corrected(typed) -> None:
    assert (
        typed("customers", "set", "Clinic West", "--tax-rate", "19 %", "--tax-name", "VAT", "--json").json["customer"][
            "tax_rate"
        ]
        == "0.19"
    )
    (made,) = typed("invoices", "close", "--due", "--json").json["invoices"]
    assert typed("invoices", "close", "--due", "--json").json == {"invoices": [], "failed": []}
    assert made["tax_name"] == "VAT"
    listed = typed("invoices", "list", "Clinic West", "--json").json["invoices"]
    assert [(one["number"], one["status"]) for one in listed] == [(1, "finalised")]
    refused = typed("invoices", "credit-note", "1", "--reason", "x", "--amount", "999 USD")
    assert refused.code == 2
    assert "what is left of the invoice before tax" in refused.err
    paid = typed("invoices", "pay", "1", "--reference", "transfer 7")
    assert paid.code == 0
    assert "is paid; 0.00 USD is owed" in paid.out
    assert typed("invoices", "void", "1", "--reason", "x").code == 4
    assert typed("invoices", "give-up", "1", "--reason", "x").code == 4
    note = typed("invoices", "credit-note", "1", "--reason", "outage", "--line", "1", "--json").json["credit_note"]
    assert (note["number"], note["corrects"], note["kind"]) == (2, 1, "credit_note")
    credit = typed("credits", "list", "Clinic West", "--json").json
    assert [one["grant"]["source"] for one in credit["grants"]] == ["credit_note"]
    assert "corrects 1" in typed("invoices", "list", "--plain").out


def test_credit_is_granted_and_listed(typed) -> None:
    granted = typed("credits", "grant", "Clinic North", "50 USD", "--expires", "2090-01-01", "--source", "promotion")
    assert granted.code == 0
    assert "Granted 50.00 USD" in granted.out
    shown = typed("credits", "list", "Clinic North", "--plain")
    assert "Left: 50.00 USD" in shown.out
    assert "2090-01-01" in shown.out
    refused = typed("credits", "grant", "Clinic North", "0 USD", "--expires", "2001-01-01", "--json")
    assert refused.code == 2
    assert refused.json["error"]["code"] == "bad_credit"
    assert len(refused.json["error"]["problems"]) == 2


def test_a_closing_that_fails_is_told_and_leaves_with_4_after_the_others_are_billed(modelmint, tmp_path: Path) -> None:
    made = ten_calls(tmp_path / "brightness")
    with sqlite3.connect(made.root / ".modelmint" / "books.sqlite") as books:
        books.execute("UPDATE customers SET tax_rate = 'none' WHERE id = ?", (made.customer,))
    ran = modelmint("-C", str(made.root), "invoices", "close", "--due", "--json")
    error = ran.json["error"]
    assert (ran.code, error["code"]) == (4, "closings_failed")
    assert [failure["customer"] for failure in error["details"]["failed"]] == [made.customer]
    assert [invoice["number"] for invoice in error["details"]["invoices"]] == [1]


def test_closing_what_is_due_takes_nothing_beside_it(typed) -> None:
    assert typed("invoices", "close", "--due", "--month", "2026-11").code == 2


def test_a_billing_day_is_refused_once_something_was_used(typed, shop: Furnished) -> None:
    assert Path(shop.root).is_dir()
    refused = typed("customers", "set", "Clinic West", "--anchor", "15")
    assert refused.code == 4
    assert "for good" in refused.err
