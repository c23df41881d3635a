"""What pages change, they change in the books, and say who did it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from modelmint.kit.clock import ManualClock
from modelmint.kit.money import Money
from modelmint.kit.period import month_of
from modelmint.testing.books import Caller


def place(desk: Any, rest: str = "") -> str:
    return f"/console/customers/{desk.furnished.customer}{rest}"


def newest(desk: Any) -> Any:
    return desk.shop.books.people.audit(limit=1)[0]


@pytest.fixture
def billed(desk: Any) -> Any:
    """An invoice of 0.12 USD of the furnished customer."""
    books = desk.shop.books
    customer = books.customer(desk.furnished.customer)
    Caller(books, customer, books.keys(customer.id)[0], desk.furnished.secret).call(times=6)
    return books.close_period(customer.id, month_of(books.now()), "", until_now=True)[0]


def test_what_the_founder_does_is_done_by_the_founder(desk: Any, founder: Any) -> None:
    founder.post("/console/customers", name="Clinic South", email="", plan="payg")
    assert desk.shop.books.customer("Clinic South").name == "Clinic South"
    assert (newest(desk).actor, newest(desk).action) == ("founder", "subscription.changed")


def test_what_a_customer_does_is_done_by_the_customer(desk: Any, customer: Any) -> None:
    customer.post("/console/my/keys", on="/console/my/keys", name="second", scopes="predict")
    assert newest(desk).actor == f"customer:{desk.furnished.customer}"


def test_a_new_secret_is_on_the_answering_page_and_on_no_other(desk: Any, customer: Any) -> None:
    page = customer.post("/console/my/keys", on="/console/my/keys", name="second", scopes="predict")
    secret = re.search(r"mm_[\w-]{40,}", page.text)
    assert secret and page.headers["cache-control"] == "no-store"
    assert secret[0] not in customer.get("/console/my/keys").text


def test_rotating_a_key_gives_a_new_one_and_ends_the_old_after_the_overlap(desk: Any, customer: Any) -> None:
    key, old = desk.shop.books.add_key(desk.furnished.customer, "turning", ["predict", "usage"])
    page = customer.post(f"/console/my/keys/{key.id}/rotate", on="/console/my/keys", overlap="0")
    assert page.status_code == 200 and old not in page.text
    found = [one for one in desk.shop.books.keys(desk.furnished.customer) if one.name == "turning"]
    assert [one.expires_at is not None for one in found] == [True, False]


def test_a_plan_is_changed_only_to_the_version_that_was_looked_at(desk: Any, customer: Any) -> None:
    page = customer.post("/console/my/plan", on="/console/my/plan", plan="clinic", version="old", when="now")
    assert "The terms changed in the meantime" in page.text
    assert desk.shop.books.contracts.current(desk.furnished.customer).plan == "payg"
    version = desk.shop.books.plan("clinic").version
    customer.post("/console/my/plan", on="/console/my/plan", plan="clinic", version=version, when="now")
    assert desk.shop.books.contracts.current(desk.furnished.customer).plan == "clinic"


def test_looking_at_a_change_stores_nothing(desk: Any, customer: Any) -> None:
    before = newest(desk).seq
    assert customer.get("/console/my/plan/preview", params={"plan": "clinic", "when": "now"}).status_code == 200
    assert newest(desk).seq == before
    assert desk.shop.books.contracts.current(desk.furnished.customer).plan == "payg"


def test_a_customer_leaves_a_fee_at_the_periods_end_only(desk: Any, customer: Any) -> None:
    contracts, who = desk.shop.books.contracts, desk.furnished.customer
    contracts.change(who, "clinic")
    page = customer.get("/console/my/plan/preview", params={"when": "now"}).text
    assert 'id="refused"' in page and 'id="confirm"' not in page
    page = customer.get("/console/my/plan/preview", params={"plan": "payg"}).text  # the end of the period by itself
    assert 'id="refused"' not in page and 'value="period_end"' in page
    for plan in ("", "payg"):
        version = plan and desk.shop.books.plan(plan).version
        assert customer.post("/console/my/plan", plan=plan, version=version, when="now").status_code == 409
    customer.post("/console/my/plan/pause")
    assert contracts.current(who).state == "active"
    assert [planned.what for planned in contracts.scheduled(who)] == ["pause"]


def test_pause_resume_and_cancel(desk: Any, founder: Any) -> None:
    contracts, customer = desk.shop.books.contracts, desk.furnished.customer
    founder.post(place(desk, "/plan/pause"))
    assert contracts.current(customer).state == "paused"
    founder.post(place(desk, "/plan/resume"))
    assert contracts.current(customer).state == "active"
    founder.post(place(desk, "/plan"), plan="", version="", when="period_end")
    assert contracts.current(customer).ends_at is not None
    founder.post(place(desk, "/plan/keep"))
    assert contracts.current(customer).ends_at is None
    founder.post(place(desk, "/plan"), plan="", version="", when="now")
    assert contracts.current(customer) is None


def test_an_invoice_is_paid_by_hand(desk: Any, founder: Any, billed: Any) -> None:
    page = founder.post(f"/console/invoices/{billed.id}/pay", reference="transfer 77")
    assert desk.shop.books.bills.status(billed.id).status == "paid"
    assert "transfer 77" in page.text


def test_a_credit_note_takes_an_amount_back(desk: Any, founder: Any, billed: Any) -> None:
    page = founder.post(f"/console/invoices/{billed.id}/credit-note", reason="a slip", amount="0.05")
    assert "−0.05 USD" in page.text or "-0.05 USD" in page.text
    assert desk.shop.books.bills.owed(billed.id) == Money(7, "USD")


def test_more_than_the_invoice_is_never_taken_back(desk: Any, founder: Any, billed: Any) -> None:
    page = founder.post(f"/console/invoices/{billed.id}/credit-note", reason="a slip", amount="0.13")
    assert page.status_code in (409, 422)
    assert desk.shop.books.bills.owed(billed.id) == Money(12, "USD")


def test_an_invoice_is_voided_and_the_books_stay_sound(desk: Any, founder: Any, billed: Any) -> None:
    founder.post(f"/console/invoices/{billed.id}/void", reason="never happened")
    assert desk.shop.books.bills.status(billed.id).status == "void"
    assert "The books are sound" in founder.post("/console/ledger/check", deep="on").text


def test_a_cut_tail_is_found_by_the_head_noted_before(desk: Any, founder: Any, billed: Any) -> None:
    assert "The books are broken" in founder.post("/console/ledger/check", noted="0" * 64).text


def test_a_months_entries_are_kept_as_csv(desk: Any, founder: Any, billed: Any) -> None:
    month = f"{month_of(desk.shop.books.now()).start:%Y-%m}"
    found = founder.get("/console/ledger/export", params={"month": month})
    assert found.headers["content-type"].startswith("text/csv") and "attachment" in found.headers["content-disposition"]
    assert len(found.text.splitlines()) == 1 + len(list(desk.shop.books.journal.entries()))


def test_an_invoice_replays_to_the_same_bytes(founder: Any, billed: Any) -> None:
    assert "the same bytes" in founder.post(f"/console/invoices/{billed.id}/replay").text


def test_credit_is_granted_and_shown_to_its_customer(desk: Any, founder: Any, customer: Any) -> None:
    founder.post(place(desk, "/credits"), amount="25", currency="USD", source="purchase", note="first", expires="")
    assert desk.shop.books.credits.balance(desk.furnished.customer) == [Money(2500, "USD")]
    assert "25.00 USD" in customer.get("/console/my/account").text


@pytest.mark.parametrize("amount", ["", "-5", "0", "1,5", "NaN", "1e9999", "12.345", "x"])
def test_no_credit_is_granted_for_an_amount_that_is_none(desk: Any, founder: Any, amount: str) -> None:
    page = founder.post(place(desk, "/credits"), amount=amount, currency="USD", source="purchase", expires="")
    assert page.status_code == 422
    assert desk.shop.books.credits.grants(desk.furnished.customer) == []


def test_billing_details_are_set(desk: Any, founder: Any) -> None:
    founder.post(
        place(desk, "/details"), tax_rate="19 %", tax_name="VAT", tax_id="DE1", address="A 1\r\nB", language="zh",
        anchor="15",
    )  # fmt: skip
    found = desk.shop.books.customer(desk.furnished.customer)
    assert (str(found.tax_rate), found.tax_name, found.address, found.language) == ("0.19", "VAT", "A 1\nB", "zh")
    assert found.anchor == 15


def test_a_customer_is_forgotten_only_when_its_name_is_typed(desk: Any, founder: Any) -> None:
    assert founder.post(place(desk, "/erase"), name="clinic").status_code == 422
    assert desk.shop.books.customer(desk.furnished.customer).erased_at is None
    assert founder.post(place(desk, "/erase"), name="Clinic North").status_code == 409
    founder.post(place(desk, "/plan"), plan="", version="", when="now")
    founder.post(place(desk, "/close"))
    founder.post(place(desk, "/erase"), name="Clinic North")
    assert desk.shop.books.customer(desk.furnished.customer).erased_at is not None
    assert "desk@clinic.example" not in founder.get("/console/customers").text


def test_partners_and_referral_codes_are_made(desk: Any, founder: Any) -> None:
    founder.post("/console/partners", customer=desk.furnished.customer, terms="commission", rate="12.5")
    partner = desk.shop.books.channels.partners()[0]
    assert str(partner.rate.normalize()) == "0.125"
    founder.post("/console/referrals", code="FAIR26", channel="fair", partner=partner.id)
    founder.post("/console/referrals/withdraw", code="FAIR26")
    assert desk.shop.books.channels.referrals()[0].withdrawn_at is not None


def test_a_booked_statement_is_paid_out_once(desk: Any, founder: Any) -> None:
    books, month = desk.shop.books, month_of(desk.shop.books.now())
    partner = books.channels.add_partner(books.add_customer("Reseller", "").id, "commission", "20 %")
    end = books.channels.add_customer(partner.id, "Clinic End", "")
    books.subscribe(end.id, "payg")
    Caller(books, end, *books.add_key(end.id, "first"), desk.furnished.model).call(10)
    books.close_period(end.id, month, "", until_now=True)
    books.channels._clock = ManualClock(month.end)
    books.channels.close_statement(partner.id, month)
    page = f"/console/partners/{partner.id}"
    assert f'action="{page}/pay-out"' in founder.get(page).text
    for _ in range(2):
        shown = founder.post(f"{page}/pay-out", month=f"{month.start:%Y-%m}", reference="transfer 1")
        assert shown.status_code == 200 and "0.04 USD" in shown.text
    assert f'action="{page}/pay-out"' not in shown.text
    assert books.journal.balances()["cash:manual", "USD"].minor == -4


def test_an_endpoint_is_made_tested_and_disabled(desk: Any, founder: Any) -> None:
    made = founder.post("/console/webhooks", url="https://hooks.example/in")
    assert re.search(r"whsec_[\w+/=-]+", made.text)
    endpoint = desk.shop.books.outbox.endpoints()[0]
    founder.post(f"/console/webhooks/{endpoint.id}/test")
    founder.post(f"/console/webhooks/{endpoint.id}/disable")
    assert desk.shop.books.outbox.endpoints()[0].disabled_at is not None
    assert founder.get("/console/webhooks").status_code == 200


def test_a_message_is_said_once(founder: Any) -> None:
    said = "The customer is added"
    assert said in founder.post("/console/customers", name="Clinic South", email="", plan="").text
    assert said not in founder.get("/console/customers").text


def test_all_problems_of_a_form_are_named_and_nothing_is_stored(desk: Any, founder: Any) -> None:
    page = founder.post("/console/webhooks", url="ftp://user@nowhere", kinds=["no.such.kind"])
    assert page.status_code == 422 and "<li>" in page.text
    assert desk.shop.books.outbox.endpoints() == []


def test_a_long_list_of_customers_is_shown_in_pages_and_searched(desk: Any, founder: Any) -> None:
    for number in range(60):
        desk.shop.books.add_customer(f"Praxis {number:02}", f"desk{number}@praxis.example")
    first = founder.get("/console/customers").text
    assert "Praxis 40" in first and "Praxis 59" not in first
    following = re.search(r'href="(/console/customers\?[^"]*from=50)"', first)
    assert following and "Praxis 59" in founder.get(following[1].replace("&amp;", "&")).text
    found = founder.get("/console/customers", params={"q": "DESK59@"}).text
    assert "Praxis 59" in found and "Praxis 58" not in found
    assert "Nobody of that name" in founder.get("/console/customers", params={"q": "<b>"}).text


@pytest.mark.parametrize(
    "page", ["customers?from=x", "ledger?after=-1", "audit?before=1e9", "invoices?from=" + "9" * 30]
)
def test_a_place_that_is_none_is_refused(founder: Any, page: str) -> None:
    assert founder.get(f"/console/{page}").status_code == 422


@pytest.mark.parametrize("lasting", ["2030-01-01", ""])
def test_a_key_that_ends_makes_no_key_that_outlives_it(desk: Any, lasting: str) -> None:
    books, owner = desk.shop.books, desk.furnished.customer
    end = books.now() + timedelta(hours=2)
    _, brief = books.add_key(owner, "brief", expires_at=end)
    former, _ = books.add_key(owner, "lasting", ["usage"], expires_at=None if not lasting else end - timedelta(hours=1))
    reader = desk.reader(brief)
    reader.post("/console/my/keys", on="/console/my/keys", name="made", scopes="usage", expires=lasting)
    reader.post(f"/console/my/keys/{former.id}/rotate", on="/console/my/keys", overlap="7")
    made = [key for key in books.keys(owner) if key.replaces == former.id or key.name == "made"]
    assert made and all(key.expires_at is not None and key.expires_at <= end for key in made)


def test_a_key_that_ends_does_not_rotate_one_that_outlives_it(desk: Any) -> None:
    books, owner = desk.shop.books, desk.furnished.customer
    _, brief = books.add_key(owner, "brief", expires_at=books.now() + timedelta(hours=2))
    lasting, _ = books.add_key(owner, "lasting", ["usage"], expires_at=books.now() + timedelta(days=2))
    page = desk.reader(brief).post(f"/console/my/keys/{lasting.id}/rotate", on="/console/my/keys", overlap="0")
    assert page.status_code == 422
    assert not [key for key in books.keys(owner) if key.replaces == lasting.id]


@pytest.mark.parametrize("month", ["9999-11", "9999-12", "0000-01", "0001-01", "1969-12", "２０２６-11"])
def test_a_month_beyond_the_calendar_is_refused(customer: Any, month: str) -> None:
    assert customer.get("/console/my/usage", params={"month": month}).status_code == 422


@pytest.mark.parametrize("month", ["1970-01", "9998-12"])
def test_the_first_and_the_last_month_are_shown(customer: Any, founder: Any, month: str) -> None:
    assert customer.get("/console/my/usage", params={"month": month}).status_code == 200
    for page in ("ledger", "channels"):
        assert founder.get(f"/console/{page}", params={"month": month}).status_code == 200


def test_a_page_of_all_invoices_reads_no_more_than_the_page(
    desk: Any, founder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    books = desk.shop.books
    owner = books.customer(desk.furnished.customer)
    key, secret = books.add_key(owner.id, "calls")
    for _ in range(3):
        Caller(books, owner, key, secret).call()
        books.close_period(owner.id, month_of(books.now()), "", until_now=True)
    monkeypatch.setattr("modelmint.console.pages.invoices.PAGE_ROWS", 2)
    monkeypatch.setattr(type(books), "invoices", None)
    first = founder.get("/console/invoices").text
    following = re.search(r'href="(/console/invoices\?[^"]*from=[0-9]+)"', first)
    assert following
    second = founder.get(following[1].replace("&amp;", "&")).text
    shown = [re.findall(r'href="/console/invoices/(inv_\w+)"', page) for page in (first, second)]
    made = [one.id for one in books.lists.invoices(newest=True).rows]
    assert shown == [made[:2], made[2:4]] and len(made) == 3
