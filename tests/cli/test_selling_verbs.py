"""Customers, keys, plans, usage, invoices and the ledger, typed at the shell of a real shop."""

from __future__ import annotations

import csv
import json
import stat
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from modelmint.bootstrap import open_shop
from modelmint.cli.exits import exit_code
from modelmint.commerce.errors import EarlierPeriodOpen
from modelmint.commerce.types import AdmissionRequest, Settlement
from modelmint.kit.clock import ManualClock
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished, furnish


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """Five paid calls and one refused are in the books."""
    made = furnish(tmp_path_factory.mktemp("shop") / "brightness")
    with open_shop(made.root) as opened:
        asked = AdmissionRequest(
            key_digest=sha256(made.secret.encode()).hexdigest(), model=made.model, calls=1, items=1
        )
        for _ in range(5):
            admitted = opened.books.reserve(asked).decided.result()
            settled = Settlement(admitted.reservation, 200, "ok", calls=1, items=1, compute_ms=Decimal("0.2"))
            opened.books.settle(settled).result()
        opened.books.refuse(asked, 422, "not_a_picture").result()
    return made


@pytest.fixture
def typed(modelmint, shop: Furnished):
    def run(*words: str, **more):
        return modelmint("-C", str(shop.root), *words, **more)

    return run


def test_customers_are_listed_with_the_plan_they_hold(typed, shop: Furnished) -> None:
    first = typed("customers", "list", "--json").json["customers"][0]
    assert (first["id"], first["name"], first["plan"]) == (shop.customer, "Clinic North", "payg")


def test_a_customer_is_added_with_a_plan_and_can_be_shown_by_name(typed) -> None:
    added = typed("customers", "add", "Clinic South", "--email", "s@clinic.example", "--plan", "trial", "--json").json
    assert added["customer"]["name"] == "Clinic South"
    assert added["subscription"]["plan"] == "trial"
    shown = typed("--json", "customers", "show", "Clinic South").json
    assert shown["customer"]["id"] == added["customer"]["id"]
    assert [one["plan"] for one in shown["subscriptions"]] == ["trial"]
    assert shown["usage"]["calls"] == 0


def test_an_unknown_plan_is_told_before_the_customer_is_added(typed) -> None:
    ran = typed("customers", "add", "Clinic East", "--plan", "gold", "--json")
    assert ran.code == 3
    assert "payg" in json.dumps(ran.json)
    assert all(one["name"] != "Clinic East" for one in typed("customers", "list", "--json").json["customers"])


def test_a_key_is_shown_once_and_never_listed_and_can_be_revoked(typed, shop: Furnished) -> None:
    made = typed("keys", "add", shop.customer, "--name", "desk", "--json").json
    assert made["secret"].startswith("mm_")
    assert made["secret"].startswith(made["key"]["hint"])
    listed = typed("keys", "list", shop.customer, "--json")
    assert made["secret"] not in listed.out
    assert {one["name"] for one in listed.json["keys"]} >= {"default", "desk"}
    assert typed("keys", "revoke", made["key"]["id"], "--json").json["key"]["revoked_at"]
    assert typed("keys", "revoke", "key_nobody", "--json").code == 3


def test_plans_say_their_price_in_words_and_who_holds_them(typed) -> None:
    plans = {one["name"]: one for one in typed("plans", "list", "--json").json["plans"]}
    assert plans["payg"]["price"] == "0.02 USD per call"
    assert plans["payg"]["customers"] >= 1
    assert (
        plans["clinic"]["price"]
        == "49.00 USD a month, 5,000 calls included, then 0.01 USD per call, 6,000 calls a minute"
    )
    assert plans["trial"]["price"] == "3 free calls, for 14 days"


def test_a_customer_changes_plans_at_once(typed) -> None:
    typed("customers", "add", "Clinic West", "--plan", "trial")
    assert typed("plans", "subscribe", "Clinic West", "clinic", "--json").json["subscription"]["plan"] == "clinic"
    held = typed("customers", "show", "Clinic West", "--json").json["subscriptions"]
    assert [one["plan"] for one in held if one["ends_at"] is None] == ["clinic"]


def test_usage_counts_billable_calls_and_keeps_refused_ones_apart(typed, shop: Furnished) -> None:
    found = typed("usage", "Clinic North", "--json").json
    assert found["calls"] == 5
    one = found["customers"][0]
    assert (one["customer"], one["by_model"]) == (shop.customer, {"brightness": 5})
    assert one["refused"] == {"not_a_picture": 1}
    assert typed("usage", "--month", "2020-01", "--json").json["calls"] == 0
    assert typed("usage", "--month", "last", "--json").code == 2


def test_closing_bills_exactly_the_calls_once_and_the_ledger_sums_to_zero(typed) -> None:
    drafted = typed("invoices", "draft", "Clinic North", "--json").json["invoices"]
    assert [one["total"]["minor"] for one in drafted] == [10]
    assert typed("invoices", "list", "--json").json == {"invoices": []}
    assert typed("invoices", "close", "Clinic North", "--json").json["invoices"] == []
    closed = typed("invoices", "close", "Clinic North", "--until-now", "--json").json["invoices"]
    assert [one["total"] for one in closed] == [{"minor": 10, "currency": "USD", "text": "0.10 USD"}]
    number = closed[0]["number"]
    shown = typed("invoices", "show", str(number), "--json").json
    assert shown["invoice"]["id"] == closed[0]["id"]
    assert "5 x 0.02 USD" in shown["text"]
    assert "账单" in typed("invoices", "show", str(number), "--language", "zh").out
    assert [one["id"] for one in typed("invoices", "list", "--json").json["invoices"]] == [closed[0]["id"]]
    entries = typed("ledger", "list", "--json").json["entries"]
    assert entries
    assert sum(one["amount"]["minor"] for one in entries) == 0
    held = {one["account"]: one["balance"]["minor"] for one in typed("ledger", "list", "--json").json["balances"]}
    assert held == {f"receivable:{closed[0]['customer']}": 10, "revenue:payg:per_unit": -10}
    said = typed("ledger", "list", "--plain").out
    assert "Balances" in said
    assert typed("invoices", "show", "999", "--json").code == 3


def test_a_customer_with_an_earlier_month_open_does_not_hold_up_the_others(modelmint, tmp_path: Path) -> None:
    made = furnish(tmp_path / "brightness")
    october, november = datetime(2025, 10, 5, tzinfo=UTC), datetime(2025, 11, 5, tzinfo=UTC)
    clock = ManualClock(october)
    with closing(open_books(f"sqlite:///{made.root}/.modelmint/books.sqlite", clock)) as books:
        late = a_caller(books, "payg", "A Late One")
        late.call(3)
        clock.at = november
        prompt = a_caller(books, "payg", "B Prompt One")
        prompt.call(7)
    close = ("-C", str(made.root), "invoices", "close", "--month", "2025-11")
    ran = modelmint(*close, "--json")
    assert ran.code == exit_code(EarlierPeriodOpen(""))
    error = ran.json["error"]
    assert (error["code"], len(error["problems"])) == ("earlier_period_open", 1)
    assert error["problems"][0].startswith(f"A Late One ({late.customer.id}): periods are closed in order; 2025-10")
    assert error["details"]["open"] == {late.customer.id: ["2025-10"]}
    assert [(one["customer_name"], one["total"]["minor"]) for one in error["details"]["invoices"]] == [
        ("B Prompt One", 14)
    ]
    told = modelmint(*close, "--plain")
    assert "B Prompt One" in told.out
    assert "A Late One" in told.err
    assert modelmint(*close[:-1], "2025-10", "--json").code == 0
    assert [one["number"] for one in modelmint(*close, "--json").json["invoices"]] == [1]


@pytest.mark.parametrize("name", ["Clinic\nTotal", "cus_1", "  "])
def test_a_name_that_could_forge_a_line_is_refused_at_the_shell(typed, name: str) -> None:
    for words in (("customers", "add", name), ("keys", "add", "Clinic North", "--name", name)):
        ran = typed(*words, "--json")
        assert (ran.code, ran.json["error"]["code"]) == (2, "bad_name")


def test_a_future_month_cannot_be_closed_even_until_now(typed) -> None:
    ran = typed("invoices", "close", "--month", "2999-01", "--until-now", "--json")
    assert ran.json["error"]["code"] == "period_not_over"
    assert "until now" not in ran.json["error"]["message"]


def test_a_plan_taken_out_of_the_venture_file_is_no_longer_listed_or_sold(modelmint, shop: Furnished, tmp_path) -> None:
    text = (shop.root / "venture.toml").read_text()
    here, file = ("-C", str(tmp_path)), tmp_path / "venture.toml"
    file.write_text(text + '\n[plans.summer]\nper_call = "0.01 USD"\n')
    assert modelmint(*here, "customers", "add", "Clinic", "--plan", "summer", "--json").code == 0
    file.write_text(text)
    listed = [plan["name"] for plan in modelmint(*here, "plans", "list", "--json").json["plans"]]
    assert "payg" in listed
    assert "summer" not in listed
    ran = modelmint(*here, "customers", "add", "Another", "--plan", "summer", "--json")
    assert ran.json["error"]["code"] == "unknown_plan"
    shown = modelmint(*here, "customers", "show", "Clinic", "--json").json
    assert [one["plan"] for one in shown["subscriptions"]] == ["summer"]


def test_a_workspace_is_for_its_owner_only(modelmint, shop: Furnished, tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_bytes((shop.root / "venture.toml").read_bytes())
    assert modelmint("-C", str(tmp_path), "customers", "list", "--json").code == 0
    assert stat.S_IMODE((tmp_path / ".modelmint").stat().st_mode) == 0o700


def test_people_get_tables_in_words(typed) -> None:
    for words in (("customers", "list"), ("keys", "list"), ("plans", "list"), ("usage",), ("ledger", "list")):
        ran = typed(*words, "--plain")
        assert ran.code == 0
        assert ran.err == ""
        assert ran.out.strip()


def test_a_release_is_listed_shown_verified_and_its_damage_named(typed, shop: Furnished, modelmint, tmp_path) -> None:
    listed = typed("releases", "list", "--json").json["releases"]
    assert [(one["id"], one["deployed_as"]) for one in listed] == [(shop.release, ["brightness"])]
    assert typed("releases", "list", "--plain").out.splitlines()[-1].split()[-1] == "brightness"
    assert typed("releases", "show", shop.release[:10], "--json").json["id"] == shop.release
    assert typed("releases", "verify", "--json").json["sound"] is True
    added = modelmint("-C", str(tmp_path), "releases", "import", listed[0]["path"], "--json")
    assert (added.json["release"]["id"], added.json["release"]["deployed_as"]) == (shop.release, [])
    graph = tmp_path / ".modelmint" / "releases" / shop.release / "models" / "brightness" / "default" / "model.onnx"
    content = bytearray(graph.read_bytes())
    content[-1] ^= 1
    graph.chmod(0o644)
    graph.write_bytes(content)
    damaged = modelmint("-C", str(tmp_path), "releases", "verify", "--json")
    assert damaged.code == 9
    assert damaged.json["error"]["problems"][0].startswith("models/brightness/default/model.onnx: changed")


def test_predict_writes_rows_for_good_and_bad_files_and_the_exit_code_tells(typed, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    (folder / "a.png").write_bytes(picture(230))
    (folder / "b.png").write_bytes(picture(20))
    assert typed("predict", str(folder), "--json").code == 0
    (folder / "c.txt").write_text("not a scan")
    ran = typed("predict", str(folder), "--out", str(tmp_path / "scores.csv"), "--json")
    assert ran.code == 2
    assert (ran.json["answered"], ran.json["failed"]) == (2, 1)
    rows = list(csv.DictReader((tmp_path / "scores.csv").open()))
    assert [row["label"] for row in rows] == ["bright", "dark", ""]
    assert [row["error"] for row in rows] == ["", "", "not_a_picture"]
    assert float(rows[0]["p_dark"]) + float(rows[0]["p_bright"]) == pytest.approx(1)
    typed("predict", str(folder), "--out", str(tmp_path / "scores.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert [line["label"] for line in lines] == ["bright", "dark", None]
    assert typed("predict", str(tmp_path / "nothing"), "--json").code == 3
    assert typed("usage", "Clinic North", "--json").json["calls"] == 5
