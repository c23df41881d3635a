"""Keys, partners, the audit log and erasure over HTTP, and what is refused there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from modelmint.api.app import Application, create_app
from modelmint.bootstrap import open_shop
from modelmint.kit.clock import ManualClock
from modelmint.kit.period import month_of
from modelmint.testing.pictures import picture
from modelmint.testing.shops import Furnished, furnish

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return furnish(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC) + timedelta(minutes=1))


@pytest.fixture(scope="module")
def app(furnished: Furnished, clock: ManualClock) -> Iterator[Application]:
    app = create_app(open_shop(furnished.root, clock=clock))
    yield app
    app.service.close()


@pytest.fixture
def ask(app: Application) -> Ask:
    """``ask(secret, method, path, ...)``; the founder's token where no secret is given."""

    def once(secret: str | None, method: str, path: str, **more: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as http:
                headers = {"Authorization": f"Bearer {secret or app.service.admin_token}", **more.pop("headers", {})}
                return await http.request(method, path, headers=headers, **more)

        return asyncio.run(send())

    return once


_made = iter(range(10_000))


def a_customer(ask: Ask, name: str = "Clinic", **more: Any) -> tuple[str, str]:
    """Id and secret of a new customer who holds payg."""
    body = {"name": f"{name} {next(_made)}", "plan": "payg", **more}
    made = ask(None, "POST", "/admin/v1/customers", json=body)
    assert made.status_code == 201, made.text
    return made.json()["customer"]["id"], made.json()["key"]["secret"]


def a_key(ask: Ask, customer: str, *scopes: str, **more: Any) -> tuple[str, str]:
    made = ask(None, "POST", f"/admin/v1/customers/{customer}/keys", json={"scopes": list(scopes), **more})
    assert made.status_code == 201, made.text
    return made.json()["id"], made.json()["secret"]


def a_partner(ask: Ask, name: str = "Reseller") -> tuple[str, str]:
    """Id of a new partner and the secret of its partner key."""
    customer, _ = a_customer(ask, name)
    made = ask(None, "POST", "/admin/v1/partners", json={"customer": customer, "rate": "20 %"})
    assert made.status_code == 201, made.text
    return made.json()["id"], a_key(ask, customer, "partner")[1]


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


NEEDS = {
    ("GET", "/v1/usage"): "usage",
    ("GET", "/v1/invoices"): "invoices",
    ("GET", "/v1/invoices/1"): "invoices",
    ("GET", "/v1/keys"): "keys",
    ("POST", "/v1/keys"): "keys",
    ("DELETE", "/v1/keys/key_x"): "keys",
    ("POST", "/v1/keys/key_x/rotate"): "keys",
    ("GET", "/v1/alarms"): "keys",
    ("GET", "/partner/v1/customers"): "partner",
    ("GET", "/partner/v1/statement"): "partner",
    ("POST", "/v1/events"): "events",
}


@pytest.mark.parametrize(("method", "path"), NEEDS)
def test_a_key_with_every_scope_but_the_needed_one_is_refused(ask: Ask, method: str, path: str) -> None:
    customer, _ = a_customer(ask)
    others = {"predict", "usage", "invoices", "keys", "events", "partner"} - {NEEDS[method, path]}
    answer = ask(a_key(ask, customer, *sorted(others))[1], method, path)
    refused(answer, 403, "key_lacks_scope")
    assert answer.json()["needed"] == NEEDS[method, path]


def test_every_customer_route_but_the_paid_one_needs_a_scope(app: Application) -> None:
    routes = {
        route.path: route.endpoint
        for route in app.router.routes
        if route.path.startswith(("/v1/", "/partner/"))  # type: ignore[attr-defined]  # all are plain routes
    }
    open_to_all = {path for path, endpoint in routes.items() if endpoint._caller == "anyone"}
    assert {path for path, endpoint in routes.items() if endpoint._needed is None} == open_to_all
    assert {path for path, endpoint in routes.items() if path.startswith("/partner/")} == {
        path for path, endpoint in routes.items() if endpoint._needed == "partner"
    }


def test_a_paid_call_with_a_key_that_may_not_predict_is_refused(ask: Ask, furnished: Furnished) -> None:
    customer, _ = a_customer(ask)
    path = f"/v1/models/{furnished.model}/predict"
    headers = {"Content-Type": "image/png"}
    poor, rich = a_key(ask, customer, "usage")[1], a_key(ask, customer, "predict")[1]
    refused(ask(poor, "POST", path, content=picture(250), headers=headers), 403, "key_lacks_scope")
    assert ask(rich, "POST", path, content=picture(250), headers=headers).status_code == 200


def test_an_expired_key_is_as_good_as_none(ask: Ask, clock: ManualClock, furnished: Furnished) -> None:
    customer, _ = a_customer(ask)
    end = (clock.now() + timedelta(hours=1)).isoformat()
    _, secret = a_key(ask, customer, "usage", "predict", expires_at=end)
    assert ask(secret, "GET", "/v1/usage").status_code == 200
    clock.advance(timedelta(hours=1))
    refused(ask(secret, "GET", "/v1/usage"), 401, "unauthenticated")
    call = ask(
        secret,
        "POST",
        f"/v1/models/{furnished.model}/predict",
        content=picture(250),
        headers={"Content-Type": "image/png"},
    )
    refused(call, 401, "unauthenticated")


def test_a_key_gives_no_more_than_it_has(ask: Ask, clock: ManualClock) -> None:
    customer, _ = a_customer(ask)
    end = clock.now() + timedelta(days=2)
    _, secret = a_key(ask, customer, "keys", "usage", expires_at=end.isoformat())
    refused(ask(secret, "POST", "/v1/keys", json={"scopes": ["predict"]}), 422, "bad_scope")
    refused(ask(secret, "POST", "/v1/keys", json={"scopes": ["partner"]}), 422, "bad_scope")
    later = {"expires_at": (end + timedelta(seconds=1)).isoformat()}
    refused(ask(secret, "POST", "/v1/keys", json=later), 422, "bad_expiry")
    made = ask(secret, "POST", "/v1/keys", json={}).json()
    assert made["scopes"] == ["keys", "usage"]
    assert datetime.fromisoformat(made["expires_at"]) == end
    assert len(ask(secret, "GET", "/v1/keys").json()["keys"]) == 3


def test_a_key_cannot_come_by_another_ones_scopes_or_life_through_rotation(ask: Ask, clock: ManualClock) -> None:
    customer, _ = a_customer(ask)
    end = clock.now() + timedelta(days=2)
    _, brief = a_key(ask, customer, "keys", expires_at=end.isoformat())
    rich, _ = a_key(ask, customer, "keys", "predict")
    refused(ask(brief, "POST", f"/v1/keys/{rich}/rotate", json={}), 403, "key_lacks_scope")
    lasting, _ = a_key(ask, customer, "keys")
    made = ask(brief, "POST", f"/v1/keys/{lasting}/rotate", json={})
    assert made.status_code == 201
    assert datetime.fromisoformat(made.json()["expires_at"]) == end


def test_both_keys_work_during_the_overlap_of_a_rotation(ask: Ask, clock: ManualClock) -> None:
    customer, _ = a_customer(ask)
    key, former = a_key(ask, customer, "keys", "usage")
    made = ask(former, "POST", f"/v1/keys/{key}/rotate", json={"overlap_seconds": 3600})
    assert made.json()["replaces"] == key
    new = made.json()["secret"]
    assert ask(former, "GET", "/v1/usage").status_code == ask(new, "GET", "/v1/usage").status_code == 200
    clock.advance(timedelta(hours=1))
    refused(ask(former, "GET", "/v1/usage"), 401, "unauthenticated")
    assert ask(new, "GET", "/v1/usage").status_code == 200
    refused(ask(None, "POST", f"/admin/v1/keys/{key}/rotate", json={}), 409, "key_ended")


def test_a_strangers_key_is_neither_revoked_nor_rotated_and_is_unknown(ask: Ask) -> None:
    customer, _ = a_customer(ask)
    _, mine = a_key(ask, customer, "keys", "predict", "usage", "invoices", "events")
    theirs, secret = a_key(ask, a_customer(ask)[0], "usage")
    for method, path in (("DELETE", "/v1/keys/{}"), ("POST", "/v1/keys/{}/rotate")):
        strange, none = (ask(mine, method, path.format(key)) for key in (theirs, "key_none"))
        refused(strange, 404, "unknown_key")
        assert strange.text.replace(theirs, "KEY") == none.text.replace("key_none", "KEY")
    assert ask(secret, "GET", "/v1/usage").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"scopes": "predict everything"},
        {"scopes": []},
        {"scopes": [1]},
        {"scopes": {"predict": True}},
        {"expires_at": "soon"},
        {"expires_at": "2020-01-01"},
        {"expires_at": "2099-01-01T00:00:00"},
        {"name": "two\nlines"},
        {"name": ""},
    ],
)
def test_a_key_that_cannot_be_is_refused_and_none_is_made(ask: Ask, body: dict[str, Any]) -> None:
    customer, secret = a_customer(ask)
    for answer in (
        ask(secret, "POST", "/v1/keys", json=body),
        ask(None, "POST", f"/admin/v1/customers/{customer}/keys", json=body),
    ):
        assert answer.status_code == 422
    assert len(ask(secret, "GET", "/v1/keys").json()["keys"]) == 1


@pytest.mark.parametrize("overlap", [-1, "1", 1.5, True, 90 * 86400 + 1])
def test_an_overlap_that_is_none_is_refused(ask: Ask, overlap: Any) -> None:
    key, secret = a_key(ask, a_customer(ask)[0], "keys")
    answer = ask(secret, "POST", f"/v1/keys/{key}/rotate", json={"overlap_seconds": overlap})
    refused(answer, 422, "bad_field")


def test_a_partner_makes_an_end_customer_that_can_call_at_once(ask: Ask, furnished: Furnished) -> None:
    partner, secret = a_partner(ask)
    made = ask(secret, "POST", "/partner/v1/customers", json={"name": "Clinic End", "plan": "payg"})
    assert made.status_code == 201
    customer, key = made.json()["customer"], made.json()["key"]
    assert (customer["partner"], customer["channel"]) == (partner, "partner")
    assert "partner" not in key["scopes"]
    call = ask(
        key["secret"],
        "POST",
        f"/v1/models/{furnished.model}/predict",
        content=picture(250),
        headers={"Content-Type": "image/png"},
    )
    assert call.status_code == 200
    assert ask(secret, "GET", f"/partner/v1/customers/{customer['id']}/usage").json()["calls"] == 1
    assert ask(secret, "GET", f"/partner/v1/customers/{customer['id']}/invoices").json() == {"invoices": []}
    shown = ask(secret, "GET", "/partner/v1/customers").json()["customers"]
    assert [one["id"] for one in shown] == [customer["id"]]
    noted = ask(None, "GET", f"/admin/v1/audit?subject={customer['id']}").json()["entries"]
    assert {entry["actor"].split(":")[0] for entry in noted if entry["action"] == "customer.added"} == {"partner"}


def test_a_partner_sees_usage_by_the_end_customers_own_billing_period_and_cut_as_it_asks(ask: Ask) -> None:
    _, secret = a_partner(ask)
    end = ask(secret, "POST", "/partner/v1/customers", json={"name": "Clinic End", "plan": "payg"}).json()["customer"]
    ask(None, "PATCH", f"/admin/v1/customers/{end['id']}", json={"anchor": 15})
    path = f"/customers/{end['id']}/usage"
    theirs = ask(secret, "GET", f"/partner/v1{path}?by=day").json()
    assert theirs == ask(None, "GET", f"/admin/v1{path}?by=day").json()
    assert theirs["period"]["start"][8:10] == "15"
    assert ask(secret, "GET", f"/partner/v1{path}?format=csv").headers["content-type"].startswith("text/csv")


PATHS = {
    "GET": ("", "/usage", "/invoices"),
    "POST": ("/keys", "/subscription"),
}


def test_a_siblings_customer_is_the_same_as_none_word_for_word(ask: Ask) -> None:
    _, mine = a_partner(ask)
    _, rival = a_partner(ask, "Rival")
    name = "Secret Hospital of the Rival"
    theirs = ask(rival, "POST", "/partner/v1/customers", json={"name": name, "plan": "payg"}).json()["customer"]["id"]
    direct, _ = a_customer(ask, "Secret Direct Hospital")
    none = "cus_0000000000000000000000zz"
    for method, tails in PATHS.items():
        for tail in tails:
            said = []
            for wanted in (none, theirs, direct, name, name[:-1]):
                answer = ask(mine, method, f"/partner/v1/customers/{wanted}{tail}", json={"plan": "payg"})
                refused(answer, 404, "unknown_customer")
                said.append(answer.text.replace(wanted, "WANTED"))
            assert len(set(said)) == 1, said
            assert "Hospital" not in said[0]
    assert len(ask(None, "GET", f"/admin/v1/customers/{theirs}").json()["keys"]) == 1


def test_a_partner_may_take_a_name_that_a_sibling_has(ask: Ask) -> None:
    secrets = [a_partner(ask)[1], a_partner(ask, "Rival")[1]]
    made = [ask(secret, "POST", "/partner/v1/customers", json={"name": "Clinic Same"}) for secret in secrets]
    assert [one.status_code for one in made] == [201, 201]
    again = ask(secrets[0], "POST", "/partner/v1/customers", json={"name": "Clinic Same"})
    refused(again, 409, "customer_exists")


def test_a_customer_who_is_no_partner_gets_nowhere_with_the_scope_alone(ask: Ask) -> None:
    _, secret = a_key(ask, a_customer(ask)[0], "partner")
    for path in ("/partner/v1/partner", "/partner/v1/customers", "/partner/v1/statement", "/partner/v1/referrals"):
        refused(ask(secret, "GET", path), 403, "not_a_partner")


def test_a_partner_gives_its_customers_no_key_of_a_partner(ask: Ask) -> None:
    _, secret = a_partner(ask)
    end = ask(secret, "POST", "/partner/v1/customers", json={"name": "Clinic End"}).json()["customer"]["id"]
    made = ask(secret, "POST", f"/partner/v1/customers/{end}/keys", json={"scopes": ["partner"]})
    refused(made, 422, "bad_scope")


def test_a_pay_out_is_noted_once_and_the_partner_sees_it(ask: Ask, app: Application, furnished: Furnished) -> None:
    partner, secret = a_partner(ask, "Paid Reseller")
    made = ask(secret, "POST", "/partner/v1/customers", json={"name": "Clinic Paid", "plan": "payg"}).json()
    path, body = f"/v1/models/{furnished.model}/predict", picture(250)
    for _ in range(5):
        assert ask(made["key"]["secret"], "POST", path, content=body, headers={"Content-Type": "image/png"}).is_success
    books = app.service.shop.books
    month = month_of(books.now())
    books.close_period(made["customer"]["id"], month, "", until_now=True)
    former, text = books.channels._clock, f"{month.start:%Y-%m}"
    wanted = {"period": text, "reference": "transfer 1"}
    pay_out, statement = f"/admin/v1/partners/{partner}/pay-out", f"/admin/v1/partners/{partner}/statement"
    try:
        books.channels._clock = ManualClock(month.end)
        refused(ask(None, "POST", pay_out, json=wanted), 409, "statement_not_closed")
        share = ask(None, "POST", statement, json={"period": text}).json()["statements"][0]["share"]["minor"]
        more = {**wanted, "amount": "1 USD"}
        refused(ask(None, "POST", pay_out, json=more), 409, "pay_out_too_large")
        refused(ask(None, "POST", pay_out, json={**wanted, "amount": "-1 USD"}), 422, "bad_pay_out")
        told = [ask(None, "POST", pay_out, json=wanted).json() for _ in range(2)]
        refused(ask(secret, "POST", pay_out, json=wanted), 401, "wrong_admin_token")
    finally:
        books.channels._clock = former
    assert told[0] == told[1] == ask(secret, "GET", "/partner/v1/statement").json()
    assert told[0]["statements"][0]["paid"]["minor"] == share == 2


def test_a_partners_key_opens_no_customers_route(ask: Ask) -> None:
    _, secret = a_partner(ask)
    for path in ("/v1/usage", "/v1/invoices", "/v1/keys"):
        refused(ask(secret, "GET", path), 403, "key_lacks_scope")
    refused(ask(secret, "GET", "/admin/v1/partners"), 401, "wrong_admin_token")


def test_a_referral_code_attributes_and_the_report_is_a_spreadsheet_too(ask: Ask) -> None:
    made = ask(None, "POST", "/admin/v1/referrals", json={"code": "spring-26", "channel": "newsletter"})
    assert made.json()["code"] == "SPRING-26"
    customer, _ = a_customer(ask, code="Spring-26")
    assert ask(None, "GET", f"/admin/v1/customers/{customer}").json()["channel"] == "newsletter"
    text = ask(None, "GET", "/admin/v1/channels?format=csv").text.splitlines()
    assert text[0] == "channel,currency,signups,customers,revenue,cost,commission,margin"
    assert any(line.startswith("newsletter,USD,1,0,0.00") for line in text)
    assert ask(None, "DELETE", "/admin/v1/referrals/spring-26").json()["withdrawn_at"]
    lost = ask(None, "POST", "/admin/v1/customers", json={"name": "Too late", "code": "spring-26"})
    refused(lost, 404, "unknown_referral")


def test_erasing_wants_the_id_said_twice(ask: Ask) -> None:
    customer, secret = a_customer(ask)
    path = f"/admin/v1/customers/{customer}/erase"
    refused(ask(None, "POST", path, json={}), 422, "bad_field")
    refused(ask(None, "POST", path, json={"confirm": "yes"}), 422, "bad_field")
    refused(ask(None, "POST", path, json={"confirm": customer}), 409, "erasure_waits")
    done = ask(None, "POST", path, json={"confirm": customer, "force": True}).json()
    assert done["pseudonym"].startswith("erased-")
    refused(ask(secret, "GET", "/v1/usage"), 401, "unauthenticated")


def test_the_audit_log_is_the_founders_and_read_in_pages(ask: Ask) -> None:
    _, secret = a_customer(ask)
    refused(ask(secret, "GET", "/admin/v1/audit"), 401, "wrong_admin_token")
    page = ask(None, "GET", "/admin/v1/audit?limit=2").json()["entries"]
    assert len(page) == 2
    after = ask(None, "GET", f"/admin/v1/audit?limit=1&before={page[-1]['seq']}").json()["entries"]
    assert after[0]["seq"] < page[-1]["seq"]
    for query in ("limit=0", "limit=x", "before=-1", "since=yesterday"):
        assert ask(None, "GET", f"/admin/v1/audit?{query}").status_code == 422


def test_alarms_are_listed_for_the_founder_and_for_whose_key_it_is(ask: Ask, app: Application) -> None:
    _, secret = a_customer(ask)
    assert ask(None, "GET", "/admin/v1/alarms?open=true").json() == {"alarms": []}
    assert ask(secret, "GET", "/v1/alarms").json() == {"alarms": []}
    refused(ask(secret, "GET", "/v1/alarms?open=maybe"), 422, "bad_field")


EDGES = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z", "1969-12-31", "9999-01-01"]


@pytest.mark.parametrize("moment", [*EDGES, "2027-01-01T00:00:00", "yesterday", "\ud800"])
def test_a_moment_beyond_the_calendar_is_refused_wherever_one_is_read(
    ask: Ask, furnished: Furnished, moment: str
) -> None:
    customer, _ = a_customer(ask)
    _, secret = a_key(ask, customer, "keys", "invoices")
    theirs = f"/admin/v1/customers/{customer}"
    asked = [
        (secret, "/v1/keys", {"scopes": ["keys"], "expires_at": moment}),
        (None, f"{theirs}/credits", {"amount": "5 USD", "expires_at": moment}),
        (None, "/admin/v1/messages/replay", {"since": moment}),
        (secret, "/v1/subscription", {"plan": "payg", "at": moment}),
        (secret, "/v1/subscription/preview", {"plan": "payg", "at": moment}),
    ]
    for who, path, body in asked:
        answer = ask(who, "POST", path, content=json.dumps(body))
        assert answer.status_code == 422, (path, answer.text)
    plan = {"per_call": "0.02 USD", "effective_at": moment}
    assert ask(None, "PUT", "/admin/v1/plans/edge", content=json.dumps(plan)).status_code == 422
    if moment.isascii():
        assert ask(None, "GET", "/admin/v1/audit", params={"since": moment}).status_code == 422


@pytest.mark.parametrize(
    ("amount", "priority"),
    [("99999999999999999999 USD", 10), ("10000000000000 USD", 10), ("5 USD", 10**19), ("5 USD", -(10**19))],
)
def test_credit_that_no_book_can_hold_is_refused(ask: Ask, amount: str, priority: int) -> None:
    customer, _ = a_customer(ask)
    body = {"amount": amount, "priority": priority}
    answer = ask(None, "POST", f"/admin/v1/customers/{customer}/credits", json=body)
    assert answer.status_code == 422 and answer.json()["code"] in ("bad_money", "bad_credit")
    assert ask(None, "GET", f"/admin/v1/customers/{customer}/credits").json()["grants"] == []


@pytest.mark.parametrize(
    "terms",
    [
        {"monthly": "9" * 30 + " USD"},
        {"monthly": "10000000000000 USD"},
        {"per_call": "0." + "0" * 199 + "1 USD"},
        {"per_call": "0.0000000000001 USD"},
        {"per_call": "1000000000000 USD"},
        {"monthly": "5 USD", "included_calls": 10**30},
        {"per_call": "0.02 USD", "max_calls": 10**30},
        {"per_call": "0.02 USD", "calls_per_minute": 10**30},
        {"free_calls": 10**30, "days": 7},
        {"free_calls": 10, "days": 10**10},
        {"charges": [{"meter": "pages", "price": "0.02 USD", "included": 10**30}]},
        {"charges": [{"meter": "pages", "price": "0.02 USD", "package": 10**30}]},
    ],
)
def test_a_plan_that_no_invoice_can_hold_is_refused(ask: Ask, terms: dict[str, Any]) -> None:
    answer = ask(None, "PUT", "/admin/v1/plans/huge", json=terms)
    assert answer.status_code == 422, answer.text
    assert all(plan["name"] != "huge" for plan in ask(None, "GET", "/admin/v1/plans").json()["plans"])
