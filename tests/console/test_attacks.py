"""What a page must not do for somebody else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from modelmint.console.forms import LARGEST_FORM
from modelmint.kit.period import month_of
from modelmint.testing.books import Caller

FOUNDERS = ("overview", "customers", "invoices", "partners", "ledger", "webhooks", "audit", "alarms")


def change(desk: Any) -> str:
    """A POST that would change something."""
    return f"/console/customers/{desk.furnished.customer}/keys"


def keys(desk: Any) -> int:
    return len(desk.shop.books.keys(desk.furnished.customer))


def test_a_form_without_its_token_changes_nothing(desk: Any, founder: Any) -> None:
    before = keys(desk)
    assert founder.client.post(change(desk), data={"name": "x", "scopes": "predict"}).status_code == 403
    assert keys(desk) == before


def test_a_form_with_another_sessions_token_changes_nothing(desk: Any, founder: Any) -> None:
    foreign = desk.reader(desk.token).token("/console/")
    before = keys(desk)
    sent = founder.client.post(change(desk), data={"name": "x", "scopes": "predict", "token": foreign})
    assert (sent.status_code, keys(desk)) == (403, before)


def test_a_form_from_another_site_changes_nothing(desk: Any, founder: Any) -> None:
    before = keys(desk)
    fields = {"name": "x", "scopes": "predict", "token": founder.token("/console/")}
    for origin in ("https://evil.example", "null", "http://shop.test.evil.example"):
        assert founder.client.post(change(desk), data=fields, headers={"origin": origin}).status_code == 403
    assert keys(desk) == before
    assert founder.client.post(change(desk), data=fields, headers={"origin": "http://shop.test"}).status_code == 200


def test_a_body_that_is_no_form_is_refused(desk: Any, founder: Any) -> None:
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
        sent = founder.client.post(change(desk), content=b'{"name":"x"}', headers={"content-type": kind})
        assert sent.status_code == 422, kind


def test_a_form_larger_than_any_of_ours_is_refused(founder: Any) -> None:
    sent = founder.post("/console/customers", name="x" * LARGEST_FORM)
    assert sent.status_code == 413


def test_nobody_sees_a_page_without_signing_in(desk: Any) -> None:
    for name in (*FOUNDERS, "my/usage", "my/keys", f"customers/{desk.furnished.customer}/usage"):
        assert desk.reader().get(f"/console/{name}").url.path == "/console/sign-in", name


def test_a_customers_session_sees_no_page_of_the_founder(desk: Any, customer: Any) -> None:
    for name in (*FOUNDERS, f"customers/{desk.furnished.customer}/usage", f"customers/{desk.furnished.customer}/keys"):
        page = customer.get(f"/console/{name}")
        assert page.status_code == 403, name
        assert "desk@clinic.example" not in page.text


def test_a_customers_session_changes_nothing_through_a_page_of_the_founder(desk: Any, customer: Any) -> None:
    before = keys(desk)
    sent = customer.client.post(
        change(desk), data={"name": "x", "scopes": "predict", "token": customer.token("/console/my/keys")}
    )
    assert (sent.status_code, keys(desk)) == (403, before)


def test_the_founders_session_is_no_customers(founder: Any) -> None:
    assert founder.get("/console/my/usage").status_code == 403


def test_another_customers_invoice_is_unknown_to_a_customer(desk: Any, customer: Any) -> None:
    books = desk.shop.books
    other = books.add_customer("Clinic South", "")
    books.subscribe(other.id, "payg")
    Caller(books, other, *books.add_key(other.id, "calls")).call()
    books.close_period(other.id, month_of(books.now()), "", until_now=True)
    foreign = books.invoices(other.id)[0]
    for name in (foreign.id, str(foreign.number)):
        page = customer.get(f"/console/my/invoices/{name}")
        unknown = customer.get("/console/my/invoices/inv_none")
        assert (page.status_code, unknown.status_code) == (404, 404)
        assert "Clinic South" not in page.text
        assert without(name, page.text) == without("inv_none", unknown.text)


def without(name: str, text: str) -> str:
    """The page without the name that was asked for."""
    return text.replace(f"&#39;{name}&#39;", "?").replace(f"/{name}?", "/?")


def test_another_customers_key_cannot_be_revoked_or_rotated(desk: Any, customer: Any) -> None:
    other = desk.shop.books.add_customer("Clinic South", "")
    key, _ = desk.shop.books.add_key(other.id, "theirs")
    for verb in ("revoke", "rotate"):
        sent = customer.post(f"/console/my/keys/{key.id}/{verb}", on="/console/my/keys", overlap="0")
        assert sent.status_code == 404
    assert desk.shop.books.keys(other.id)[0].revoked_at is None


def test_a_customer_gives_a_key_no_more_than_its_own_may_do(desk: Any, customer: Any) -> None:
    before = keys(desk)
    sent = customer.post("/console/my/keys", on="/console/my/keys", name="more", scopes=["predict", "partner"])
    assert (sent.status_code, keys(desk)) == (422, before)


NASTY = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}", "' onmouseover='x", "${7*7}"]


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_shown_as_text_wherever_it_stands(desk: Any, founder: Any, name: str) -> None:
    made = founder.post("/console/customers", name=name, email="", plan="payg")
    assert made.status_code == 200, made.text
    held = desk.shop.books.customer(name)
    founder.post(f"/console/customers/{held.id}/keys", name=name, scopes="predict")
    for page in ("customers", f"customers/{held.id}/keys", f"customers/{held.id}/usage", "audit"):
        text = founder.get(f"/console/{page}").text
        assert name not in text or not re.search("[<\"']", name)
        assert "<script>alert" not in text and "<img" not in re.sub(r'<img src="/console/static/[^>]*>', "", text)
        assert "49" not in name and ("7*7" not in name or "{{ 7*7 }}" in text or "7*7" in text or page == "audit")


def test_a_query_is_shown_as_text(founder: Any) -> None:
    page = founder.get("/console/audit", params={"subject": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text


def test_no_page_may_be_framed_cached_or_run_anything_inline(desk: Any, founder: Any) -> None:
    for path in ("/console/sign-in", "/console/overview", "/console/customers", "/console/no/such/page"):
        page = founder.get(path)
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", page.text)


def test_pages_name_no_other_host(founder: Any) -> None:
    for path in ("/console/overview", "/console/customers", "/console/ledger"):
        found = re.findall(r'(?:src|href|action)="([^"]*)"', founder.get(path).text)
        assert all(link.startswith(("/console", "#")) for link in found), found


def test_a_static_file_outside_the_folder_is_not_served(desk: Any) -> None:
    for name in ("..%2fsessions.py", "%2e%2e/sessions.py", "sessions.py", "../../venture.toml"):
        assert desk.reader().get(f"/console/static/{name}").status_code == 404


def test_a_page_that_fails_tells_a_number_and_nothing_else(
    desk: Any, founder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr(desk.shop.books, "customers", fail)
    page = founder.get("/console/customers")
    assert page.status_code == 500
    assert "1234" not in page.text and re.search(r"inc_\w{24}", page.text)
