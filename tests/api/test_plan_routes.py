"""Plans put, changed and withdrawn over HTTP; what customers hold, changed by the founder and by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from modelmint.api.app import Application, create_app
from modelmint.bootstrap import open_shop
from modelmint.kit.clock import ManualClock
from modelmint.testing.shops import Furnished, furnish

START = datetime(2026, 11, 11, tzinfo=UTC)


@pytest.fixture
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return furnish(tmp_path_factory.mktemp("shop"), clock=ManualClock(START))


@pytest.fixture
def app(furnished: Furnished) -> Iterator[Application]:
    app = create_app(open_shop(furnished.root, clock=ManualClock(START)))
    yield app
    app.service.close()


def ask(app: Application, method: str, path: str, secret: str | None = None, **more: Any) -> Any:
    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 1), raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {secret or app.service.admin_token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://shop", headers=headers) as http:
            return await http.request(method, path, **more)

    return asyncio.run(once())


def put(app: Application, name: str, **table: Any) -> Any:
    return ask(app, "PUT", f"/admin/v1/plans/{name}", json=table)


def on_sale(app: Application) -> list[str]:
    return [plan["name"] for plan in ask(app, "GET", "/v1/plans").json()["plans"]]


def test_a_plan_put_on_sale_is_shown_and_can_be_withdrawn(app: Application) -> None:
    table = {"monthly": "30 USD", "charges": [{"tiers": [{"up_to": 9, "price": "0.1 USD"}, {"price": "0.05 USD"}]}]}
    made = put(app, "special", **table)
    assert (made.status_code, made.json()["plans"][0]["origin"]) == (200, "api")
    assert "special" in on_sale(app)
    gone = ask(app, "DELETE", "/admin/v1/plans/special").json()
    assert [(one["on_sale"], one["holders"]) for one in gone["plans"]] == [(False, 0)]
    assert "special" not in on_sale(app)


def test_a_plan_that_lets_usage_through_is_put_with_warnings(app: Application) -> None:
    small = {"price": "0 USD", "model": "brigthness"}
    warned = put(app, "special", charges=[small, {"price": "1 USD"}]).json()["warnings"]
    assert len(warned) == 1 and warned[0].startswith("plans.special.charges.0.model: ")
    assert put(app, "special", charges=[{"price": "1 USD", "model": "brightness"}]).json()["warnings"] == [
        "plans.special: every charge over 'calls' asks for a model, a variant or a state; usage that fits none costs "
        "nothing. Add a charge without them at the end if that is not meant."
    ]
    states = [{"price": "1 USD", "state": state} for state in ("ok", "abstained")]
    assert put(app, "special", charges=states).json()["warnings"] == []
    assert put(app, "special", charges=[{**one, "meter": "pages"} for one in states]).json()["warnings"] != []


def test_a_fee_that_ends_with_what_it_includes_is_put_with_a_warning(app: Application) -> None:
    table = {"monthly": "49 USD", "included_calls": 5000}
    (warning,) = put(app, "special", **table).json()["warnings"]
    assert warning.startswith("plans.special: calls end with those that are included, whole in every billing period")
    assert put(app, "special", **table, overage="0.01 USD").json()["warnings"] == []
    paid = {"monthly": "49 USD", "charges": [{"tiers": [{"up_to": 9, "price": "0.1 USD"}]}]}
    assert put(app, "special", **paid).json()["warnings"] == []


def test_all_that_is_wrong_with_a_plan_is_told_at_once_and_nothing_is_stored(app: Application) -> None:
    wrong = {"monthly": "30", "days": 3, "charges": [{"meter": "cals", "price": "1 USD"}], "caps": "1 USD"}
    found = put(app, "special", **wrong)
    assert (found.status_code, found.json()["code"]) == (422, "bad_plan")
    named = sorted(problem.split(":")[0] for problem in found.json()["problems"])
    assert named == ["caps", "charges.0.meter", "monthly"] or named == ["caps", "charges.0.meter", "days", "monthly"]
    assert ask(app, "GET", "/admin/v1/plans/special").status_code == 404


@pytest.mark.parametrize("name", ["Bad%20Name", "..%2Fx", "x" * 64])
def test_a_name_that_is_none_is_refused(app: Application, name: str) -> None:
    assert put(app, name, monthly="30 USD").status_code in (404, 422)


def test_a_plan_of_the_venture_file_is_not_overruled(app: Application) -> None:
    found = put(app, "payg", per_call="9 USD")
    assert (found.status_code, found.json()["code"]) == (409, "plan_in_file")
    assert ask(app, "DELETE", "/admin/v1/plans/payg").json()["code"] == "plan_in_file"


def test_another_currency_is_refused(app: Application) -> None:
    found = put(app, "yen", monthly="900 JPY")
    assert (found.status_code, found.json()["code"]) == (422, "bad_plan")


def test_terms_of_tomorrow_are_listed_and_not_sold_today(app: Application) -> None:
    put(app, "special", monthly="30 USD")
    made = put(app, "special", monthly="40 USD", effective_at="2026-12-01T00:00:00Z").json()["plans"]
    assert [(one["monthly"]["amount"], one["on_sale"], one["effective_at"]) for one in made] == [
        ("30.00", True, None),
        ("40.00", False, "2026-12-01T00:00:00Z"),
    ]
    sold = {plan["name"]: plan for plan in ask(app, "GET", "/v1/plans").json()["plans"]}
    assert sold["special"]["monthly"]["amount"] == "30.00"


@pytest.mark.parametrize("moment", ["2026-11-10", "soon", 7])
def test_terms_of_yesterday_are_refused(app: Application, moment: object) -> None:
    found = put(app, "special", monthly="30 USD", effective_at=moment)
    assert (found.status_code, found.json()["code"]) in [(422, "bad_field"), (422, "bad_plan")]
    assert "special" not in on_sale(app)


@pytest.mark.parametrize("path", ["/admin/v1/plans", "/admin/v1/plans/payg"])
def test_a_customer_may_not_put_plans(app: Application, furnished: Furnished, path: str) -> None:
    assert ask(app, "GET", path, furnished.secret).status_code == 401
    assert ask(app, "PUT", "/admin/v1/plans/mine", furnished.secret, json={"per_call": "0 USD"}).status_code == 401


def test_the_founder_changes_previews_pauses_resumes_and_cancels(app: Application, furnished: Furnished) -> None:
    put(app, "special", monthly="30 USD")
    base = f"/admin/v1/customers/{furnished.customer}/subscription"
    seen = ask(app, "POST", f"{base}/preview", json={"plan": "special"}).json()
    # 20 of 30 days.
    assert seen["difference"] == {"amount": "20.00", "currency": "USD", "minor": 2000}
    assert [draft["number"] for draft in seen["changed"]] == [0]
    assert ask(app, "GET", base).json()["current"]["plan"] == "payg"
    assert ask(app, "POST", base, json={"plan": "special"}).json()["plan"] == "special"
    paused = ask(app, "POST", f"{base}/pause", json={"at": "2026-11-20T00:00:00Z"}).json()
    assert (paused["state"], paused["starts_at"]) == ("paused", "2026-11-20T00:00:00Z")
    ask(app, "POST", f"{base}/resume", json={"at": "2026-11-25T00:00:00Z"})
    ask(app, "POST", f"{base}/cancel", json={"at": "period_end"})
    planned = ask(app, "GET", base).json()["scheduled"]
    assert [one["what"] for one in planned] == ["pause", "resume", "cancel"]
    kept = ask(app, "POST", f"{base}/unschedule", json={}).json()
    assert (kept["current"]["plan"], kept["current"]["ends_at"]) == ("special", None)
    assert ask(app, "GET", base).json()["scheduled"] == []


def test_a_customer_changes_its_own_plan(app: Application, furnished: Furnished) -> None:
    put(app, "special", monthly="30 USD")
    secret = furnished.secret
    seen = ask(app, "POST", "/v1/subscription/preview", secret, json={"plan": "special", "at": "period_end"}).json()
    assert seen["difference"]["minor"] == 3000
    changed = ask(app, "POST", "/v1/subscription", secret, json={"plan": "special", "at": "period_end"}).json()
    assert changed["starts_at"] == "2026-12-01T00:00:00Z"
    shown = ask(app, "GET", "/v1/subscription", secret).json()
    assert (shown["current"]["plan"], shown["scheduled"][0]["plan"]) == ("payg", "special")
    who = [entry for entry in app.service.shop.books.people.audit() if entry.action == "subscription.changed"]
    assert who[0].actor == f"customer:{furnished.customer}"


def test_a_customer_that_used_a_plan_cannot_leave_it_before_the_period_ends(
    app: Application, furnished: Furnished
) -> None:
    put(app, "special", monthly="30 USD")
    own, secret = "/v1/subscription", furnished.secret
    ask(app, "POST", own, secret, json={"plan": "special"})
    seen = ask(app, "POST", f"{own}/preview", secret, json={"plan": "payg"}).json()
    assert seen["refused"]["code"] == "only_at_period_end"
    for path, body in (
        (own, {"plan": "payg"}),
        (f"{own}/cancel", {}),
        (f"{own}/pause", {"at": "2026-11-30T23:00:00Z"}),
    ):
        found = ask(app, "POST", path, secret, json=body)
        assert (found.status_code, found.json()["code"]) == (409, "only_at_period_end")
        assert "period_end" in found.json()["detail"]
    left = ask(app, "POST", f"{own}/cancel", secret, json={"at": "period_end"}).json()
    assert left["ends_at"] == "2026-12-01T00:00:00Z"
    theirs = f"/admin/v1/customers/{furnished.customer}/subscription"
    assert ask(app, "POST", f"{theirs}/cancel", json={}).status_code == 200
    assert ask(app, "GET", own, secret).json()["current"] is None


@pytest.mark.parametrize("verb", ["", "/preview", "/pause", "/resume", "/cancel"])
def test_nobody_plans_for_the_year_9990(app: Application, furnished: Furnished, verb: str) -> None:
    body = {"plan": "clinic", "at": "9990-01-01T00:00:00Z"}
    for base, secret in (
        ("/v1/subscription", furnished.secret),
        (f"/admin/v1/customers/{furnished.customer}/subscription", None),
    ):
        found = ask(app, "POST", f"{base}{verb}", secret, json=body)
        assert (found.status_code, found.json()["code"]) == (422, "moment_too_far")


def test_a_key_without_the_scope_changes_nothing(app: Application, furnished: Furnished) -> None:
    made = ask(app, "POST", "/v1/keys", furnished.secret, json={"name": "till", "scopes": ["predict"]}).json()
    for method, path in (
        ("GET", "/v1/subscription"),
        ("POST", "/v1/subscription"),
        ("POST", "/v1/subscription/cancel"),
    ):
        found = ask(app, method, path, made["secret"], json={"plan": "clinic"})
        assert (found.status_code, found.json()["code"]) == (403, "key_lacks_scope")


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-10T00:00:00Z", "2027-01-01T00:00:00", 5])
def test_a_moment_that_is_none_or_past_is_refused(app: Application, furnished: Furnished, moment: object) -> None:
    found = ask(app, "POST", "/v1/subscription", furnished.secret, json={"plan": "clinic", "at": moment})
    assert found.status_code == 422
    assert found.json()["code"] in ("bad_field", "bad_period", "moment_not_ahead")
    assert ask(app, "GET", "/v1/subscription", furnished.secret).json()["current"]["plan"] == "payg"


def test_without_a_plan_there_is_nothing_to_cancel(app: Application) -> None:
    made = ask(app, "POST", "/admin/v1/customers", json={"name": "South"}).json()["customer"]["id"]
    found = ask(app, "POST", f"/admin/v1/customers/{made}/subscription/cancel", json={})
    assert (found.status_code, found.json()["code"]) == (409, "nothing_held")


def test_a_stranger_sees_no_subscription(app: Application) -> None:
    assert ask(app, "GET", "/v1/subscription", "mm_nobody").status_code == 401
