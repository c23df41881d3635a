"""Signing in, signing out, and what does not open a session."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from modelmint.console.attempts import BURST, REFILL_SECONDS, Attempts, network_of
from modelmint.console.sessions import Sessions, Signer
from modelmint.kit.clock import SystemClock


def test_the_founders_token_opens_the_founders_pages(desk: Any) -> None:
    page = desk.reader().sign_in(desk.token)
    assert (page.status_code, page.url.path) == (200, "/console/overview")


def test_a_key_opens_its_customers_portal(desk: Any) -> None:
    page = desk.reader().sign_in(desk.furnished.secret)
    assert (page.status_code, page.url.path) == (200, "/console/my/usage")


@pytest.mark.parametrize("secret", ["", "mm_wrong", "mma_wrong", "x" * 5000, "密钥"])
def test_a_wrong_secret_is_refused_with_the_same_page_whatever_is_wrong(desk: Any, secret: str) -> None:
    reader = desk.reader()
    page = reader.sign_in(secret)
    assert page.status_code == 401
    assert "That key or token opens nothing" in page.text
    assert reader.get("/console/overview").url.path == "/console/sign-in"


def test_a_key_that_may_only_call_does_not_open_the_portal(desk: Any) -> None:
    _, secret = desk.shop.books.add_key(desk.furnished.customer, "caller", ["predict"])
    page = desk.reader().sign_in(secret)
    assert page.status_code == 403
    assert "not read usage and invoices" in page.text


def test_after_signing_in_the_reader_is_where_it_wanted_to_be(desk: Any) -> None:
    reader = desk.reader()
    asked = reader.get("/console/ledger")
    assert (asked.url.path, asked.url.params["next"]) == ("/console/sign-in", "/console/ledger")
    page = reader.post("/console/sign-in", on="/console/sign-in", secret=desk.token, next="/console/ledger")
    assert page.url.path == "/console/ledger"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example",
        "/console//evil.example",
        "/console/\\evil",
        "/admin/v1/keys",
        "/console/a\nb",
    ],
)
def test_signing_in_leads_to_no_other_site(desk: Any, elsewhere: str) -> None:
    page = desk.reader().post("/console/sign-in", on="/console/sign-in", secret=desk.token, next=elsewhere)
    assert (page.url.host, page.url.path) == ("shop.test", "/console/overview")


def test_a_session_that_was_signed_out_opens_nothing_even_where_its_cookie_was_kept(desk: Any) -> None:
    reader = desk.reader(desk.token)
    stolen = reader.cookie()
    assert reader.post("/console/sign-out").url.path == "/console/sign-in"
    thief = desk.reader()
    thief.client.cookies.set("mm_session", stolen, domain="shop.test", path="/console")
    assert thief.get("/console/overview").url.path == "/console/sign-in"


def test_a_session_ends_with_the_key_that_opened_it(desk: Any, customer: Any) -> None:
    assert customer.get("/console/my/keys").status_code == 200
    desk.shop.books.revoke_key(desk.furnished.key)
    assert customer.get("/console/my/keys").url.path == "/console/sign-in"
    assert customer.client.post("/console/my/keys", data={"name": "x"}).url.path == "/console/sign-in"


def test_a_session_lasts_twelve_hours_and_no_longer(tmp_path: Path) -> None:
    now = SystemClock().now()
    sessions = Sessions(Signer("token"), tmp_path)
    cookie = sessions.cookie(sessions.open(now, "founder"))
    assert sessions.read(cookie, now + timedelta(hours=11, minutes=59)) is not None
    assert sessions.read(cookie, now + timedelta(hours=12)) is None


def test_a_replaced_token_ends_every_session(tmp_path: Path) -> None:
    now = SystemClock().now()
    sessions = Sessions(Signer("old"), tmp_path)
    cookie = sessions.cookie(sessions.open(now, "founder"))
    assert Sessions(Signer("new"), tmp_path).read(cookie, now) is None


def test_a_customers_cookie_rewritten_to_the_founder_opens_nothing(desk: Any, customer: Any) -> None:
    content, _, mac = customer.cookie().partition(".")
    session = json.loads(base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)))
    forged = base64.urlsafe_b64encode(json.dumps({**session, "who": "founder"}).encode()).decode().rstrip("=")
    for cookie in (f"{forged}.{mac}", f"{content}.{'0' * 64}", f"{content}.", content, f".{mac}", "x" * 9000):
        thief = desk.reader()
        thief.client.cookies.set("mm_session", cookie.encode("latin-1").decode("latin-1"), domain="shop.test")
        assert thief.get("/console/overview").url.path == "/console/sign-in", cookie


def test_a_flash_message_cannot_be_used_as_a_session(tmp_path: Path) -> None:
    signer, now = Signer("token"), SystemClock().now()
    sessions = Sessions(signer, tmp_path)
    content = sessions.cookie(sessions.open(now, "founder")).partition(".")[0]
    text = base64.urlsafe_b64decode(content + "=" * (-len(content) % 4)).decode()
    assert sessions.read(signer.sign("said", text), now) is None


def test_wrong_sign_ins_are_slowed_down_and_the_right_one_waits_too(desk: Any) -> None:
    reader = desk.reader()
    assert [reader.sign_in("mm_wrong").status_code for _ in range(BURST)] == [401] * BURST
    assert reader.sign_in("mm_wrong").status_code == 429
    assert reader.sign_in(desk.token).status_code == 429


def test_an_address_gets_its_attempts_back_one_by_one_and_others_keep_theirs() -> None:
    now = [1000.0]
    attempts = Attempts(lambda: now[0])
    for _ in range(BURST):
        attempts.failed("1.2.3.4")
    assert 0 < attempts.wait("1.2.3.4") <= REFILL_SECONDS
    assert attempts.wait("5.6.7.8") == 0
    now[0] += REFILL_SECONDS
    assert attempts.wait("1.2.3.4") == 0
    attempts.failed("1.2.3.4")
    assert attempts.wait("1.2.3.4") > 0


def test_cookies_are_for_this_site_and_no_script(desk: Any) -> None:
    reader = desk.reader()
    page = reader.client.post(
        "/console/sign-in", data={"token": reader.token(), "secret": desk.token}, follow_redirects=False
    )
    told = page.headers["set-cookie"].lower()
    assert "httponly" in told and "samesite=strict" in told and "path=/console" in told
    assert "secure" not in told


def test_cookies_are_secure_behind_https(desk: Any) -> None:
    reader = desk.reader(**{"x-forwarded-proto": "https"})
    assert "secure" in reader.get("/console/sign-in").headers["set-cookie"].lower()


def entries(desk: Any) -> list[Any]:
    return [entry for entry in desk.shop.books.people.audit(limit=1000) if entry.action.startswith("console.")]


def test_who_comes_and_goes_stands_in_the_log_without_what_opened_the_door(desk: Any) -> None:
    owner, key = desk.furnished.customer, desk.shop.books.keys(desk.furnished.customer)[0].id
    for secret in (desk.token, desk.furnished.secret):
        desk.reader(secret, **{"x-forwarded-for": "203.0.113.77"}).post("/console/sign-out")
    found = [(entry.action, entry.actor, entry.subject) for entry in reversed(entries(desk))]
    theirs = f"customer:{owner}"
    assert found == [
        ("console.signed_in", "founder", "founder"),
        ("console.signed_out", "founder", "founder"),
        ("console.signed_in", theirs, key),
        ("console.signed_out", theirs, key),
    ]
    said = str(entries(desk))
    assert desk.token not in said and desk.furnished.secret not in said and "203.0.113.77" not in said
    assert {entry.action for entry in desk.shop.books.people.audit(owner)} >= {"console.signed_in"}


def test_a_refused_sign_in_stands_in_the_log_and_a_flood_of_them_does_not(desk: Any) -> None:
    for number in range(40):
        reader = desk.reader()
        reader.client.headers["x-forwarded-for"] = f"203.0.{number}.5"
        reader.sign_in(f"mm_guess{number}")
    refused = [entry for entry in entries(desk) if entry.action == "console.sign_in_refused"]
    assert 1 <= len(refused) <= 12
    assert refused[-1].actor == "system" and "guess" not in str(refused)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::9", "2001:db8:1::/48"),
        ("testclient", ""),
        ("203.0.113.77<script>", ""),
    ],
)
def test_of_an_address_the_log_keeps_the_network(address: str, network: str) -> None:
    assert network_of(address) == network
