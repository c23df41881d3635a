"""A form that cannot be taken comes back with what was typed and what is wrong with it, in the reader's language."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest
from starlette.requests import Request

from modelmint.commerce.errors import CustomerExists
from modelmint.console import forms, page
from modelmint.console.errors import FormTooSlow
from modelmint.console.forms import Form, read_form
from modelmint.console.words import Words
from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import parse_money
from modelmint.kit.period import parse_moment, parse_month


def alert(page: Any) -> str:
    """The sentence above the form."""
    found = re.search(r'class="card problem-page" role="alert">(.*?)</section>', page.text, re.DOTALL)
    assert found, page.text
    return found[1]


def place(desk: Any, rest: str) -> str:
    return f"/console/customers/{desk.furnished.customer}{rest}"


def test_a_customer_that_exists_is_corrected_in_the_form_that_was_filled_in(desk: Any, founder: Any) -> None:
    typed = {"name": "Clinic North", "email": "other@clinic.example", "plan": "payg", "referral": ""}
    page = founder.post("/console/customers", **typed)
    assert page.status_code == 409 and "exists already" in alert(page)
    assert 'name="name" type="text" value="Clinic North"' in page.text
    assert 'value="other@clinic.example"' in page.text
    assert '<option value="payg" selected>' in page.text
    assert founder.post("/console/customers", **{**typed, "name": "Clinic South"}).status_code == 200


def test_what_was_chosen_and_ticked_is_so_again(desk: Any, customer: Any) -> None:
    page = customer.post("/console/my/keys", on="/console/my/keys", name="  ", scopes=["usage"], expires="2031-05-01")
    assert page.status_code == 422
    ticked = re.findall(r'name="scopes" value="(\w+)" checked', page.text)
    assert ticked == ["usage"] and 'value="2031-05-01"' in page.text


def test_a_form_posted_elsewhere_comes_back_on_the_page_that_it_stands_on(desk: Any, founder: Any) -> None:
    page = founder.post(
        place(desk, "/credits"), amount="1,5", currency="EUR", source="promotion", note="trial", expires=""
    )
    assert page.status_code == 422 and "1,5" in alert(page)
    assert '<option value="EUR" selected>' in page.text and '<option value="promotion" selected>' in page.text
    assert 'value="trial"' in page.text and 'value="1,5"' in page.text
    languages = re.findall(r'href="([^"]+)lang=\w+"', page.text)
    assert languages and all(founder.get(link.rstrip("?")).status_code == 200 for link in languages)


def test_what_was_typed_is_shown_as_text(desk: Any, founder: Any) -> None:
    typed = '"><script>alert(1)</script>'
    page = founder.post(
        place(desk, "/credits"), amount=typed, currency="USD", source="purchase", note=typed, expires=""
    )
    assert page.status_code == 422
    assert "<script>alert" not in page.text and "&lt;script&gt;" in page.text


def test_a_form_about_nobody_has_a_page_of_its_own(founder: Any) -> None:
    page = founder.post("/console/customers/cus_nobody/credits", amount="x", currency="USD", source="purchase")
    assert page.status_code in (404, 422) and "problem-page" in page.text


def test_a_form_without_its_token_is_not_shown_again_with_what_it_carried(desk: Any, founder: Any) -> None:
    page = founder.client.post("/console/customers", data={"token": "0" * 64, "name": "Forged"})
    assert page.status_code == 403 and "Forged" not in page.text


def test_no_form_shows_a_wrong_secret_again(desk: Any) -> None:
    reader = desk.reader()
    assert "mm_mistyped" not in reader.sign_in("mm_mistyped").text


@pytest.mark.parametrize(
    ("path", "fields", "sentence"),
    [
        (
            "/credits",
            {"amount": "1,5", "currency": "USD", "source": "purchase"},
            "“金额”应为金额，如 12.50；填入的是 '1,5'",
        ),
        ("/credits", {"amount": "0", "currency": "USD", "source": "purchase"}, "金额须大于零；填入的是 0.00 USD"),
        ("/credits", {"amount": "12.345", "currency": "USD", "source": "purchase"}, "小数位超过了 USD 的最小单位"),
        ("/details", {"tax_rate": "x", "language": "zh"}, "“税率”应为百分数"),
        ("/details", {"tax_rate": "19", "language": "zh", "anchor": "32"}, "填入的是 32"),
        ("/keys", {"name": "", "scopes": "usage"}, "请填写“名称”"),
        ("/keys", {"name": "key_x", "scopes": "usage"}, "开头不能像标识"),
        ("/keys", {"name": "till", "expires": "2001-01-01", "scopes": "usage"}, "应为将来的时间"),
        ("/keys", {"name": "till"}, "请至少选择一项权限"),
        ("/erase", {"name": "x"}, "请准确输入客户名称"),
    ],
)
def test_a_chinese_reader_is_told_in_chinese(
    desk: Any, founder: Any, path: str, fields: dict[str, str], sentence: str
) -> None:
    founder.get("/console/overview?lang=zh")
    page = founder.post(place(desk, path), **fields)
    assert page.status_code == 422
    assert sentence in alert(page).replace("&#39;", "'"), alert(page)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "Clinic North", "plan": ""}, "已有名为 'Clinic North' 的客户"),
        ({"name": "Clinic South", "plan": "none"}, "没有套餐 'none'"),
        ({"name": "Clinic South", "plan": "", "referral": "XMAS"}, "没有有效的推荐码 'XMAS'"),
    ],
)
def test_a_new_customer_that_cannot_be_is_explained_in_chinese(
    founder: Any, fields: dict[str, str], sentence: str
) -> None:
    founder.get("/console/overview?lang=zh")
    assert sentence in alert(founder.post("/console/customers", email="", **fields)).replace("&#39;", "'")


def test_the_ledger_and_deliveries_are_told_in_chinese(desk: Any, founder: Any) -> None:
    books = desk.shop.books
    books.credits.grant(desk.furnished.customer, parse_money("5 USD"))
    founder.get("/console/overview?lang=zh")
    assert "授予余额：购买" in founder.get("/console/ledger").text
    founder.post("/console/webhooks", url="https://hooks.example/in")
    endpoint = books.outbox.endpoints()[0].id
    founder.post(f"/console/webhooks/{endpoint}/test")
    founder.post(f"/console/webhooks/{endpoint}/disable")
    assert "接收地址已停用" in founder.get("/console/webhooks").text


def message(make: Any) -> str:
    try:
        make()
    except ModelmintError as error:
        return error.message
    raise AssertionError("expected a refusal")


@pytest.mark.parametrize(
    "text",
    [
        message(lambda: parse_month("x")),
        message(lambda: parse_month("9999-01")),
        message(lambda: parse_moment("x")),
        message(lambda: parse_moment("2026-11-10T12:00:00")),
        message(lambda: parse_money("10000000000000 USD")),
        message(lambda: parse_money("1.234 USD")),
        "answered 503",
        "answered 302; redirects are not followed",
        "no answer in time",
        "could not be delivered: [Errno 111] Connection refused",
        "could not be delivered: the host has no address on the public internet that we could find; x was not found",
        "payment of invoice 12",
        "invoice 12: void",
        "credit note 7",
        "credit granted: promotion",
        "credit ran out",
        "statement 2026-11",
        "pay-out 2026-11",
    ],
)
def test_sentences_that_readers_meet_have_a_chinese_form(text: str) -> None:
    said = Words("zh").told(text)
    assert said != text and re.search(r"[\u4e00-\u9fff]", said)
    assert Words("en").told(text) == text


@pytest.mark.parametrize("text", ["{0}", "{field}", "x" * 100_000, "", CustomerExists.__doc__ or ""])
def test_what_has_no_form_is_shown_as_it_is(text: str) -> None:
    assert Words("zh").told(text) == text


def test_values_with_braces_are_carried_over_as_they_are() -> None:
    assert "'{x}'" in Words("zh").told("expected 'amount' as an amount like 12.50, found '{x}'")


def test_a_broken_page_behind_a_form_is_an_incident_and_not_a_loop(
    desk: Any, founder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = founder.token()
    monkeypatch.setattr(type(desk.shop.books), "customers", lambda _: 1 / 0)
    page = founder.client.post("/console/customers", data={"token": token, "name": "Clinic North"})
    assert page.status_code == 500 and "ZeroDivision" not in page.text


def test_nothing_is_stored_by_a_form_that_came_back(desk: Any, founder: Any) -> None:
    before = desk.shop.books.people.audit(limit=1)[0].seq
    end = f"{desk.shop.books.now() - timedelta(days=2):%Y-%m-%d}"
    page = founder.post(place(desk, "/credits"), amount="5", currency="USD", source="purchase", note="", expires=end)
    assert page.status_code == 422 and desk.shop.books.people.audit(limit=1)[0].seq == before


def test_a_stranger_has_no_form_of_the_founders_read(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    async def count(request: Request, files: int = 0) -> Form:
        read.append(files)
        return await read_form(request, files)

    monkeypatch.setattr(page, "read_form", count)
    stranger = desk.reader()
    for path in ("/console/try", "/console/my/try"):
        sent = stranger.client.post(path, files={"picture": ("a.png", b"x" * 100_000)}, follow_redirects=False)
        assert sent.status_code == 303 and sent.headers["location"] == "/console/sign-in"
    assert read == []


def test_a_form_that_stops_half_way_holds_its_memory_for_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "GRACE_SECONDS", 0.05)
    head = b'--xx\r\nContent-Disposition: form-data; name="picture"; filename="a"\r\n\r\n'

    async def receive() -> dict[str, Any]:
        if sent:
            await asyncio.sleep(3600)
        sent.append(head)
        return {"type": "http.request", "body": head, "more_body": True}

    sent: list[bytes] = []
    headers = [(b"content-type", b"multipart/form-data; boundary=xx"), (b"host", b"shop.test")]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)
    with pytest.raises(FormTooSlow):
        asyncio.run(asyncio.wait_for(read_form(request, 1000), 120))


@pytest.mark.parametrize(
    ("accepts", "said"), [("zh-CN", "表单来自其他网站，未予受理"), ("en", "a form from another site")]
)
def test_a_form_that_is_refused_before_there_is_a_page_is_told_in_the_readers_language(
    desk: Any, accepts: str, said: str
) -> None:
    reader = desk.reader(**{"accept-language": accepts})
    foreign = {"origin": "https://elsewhere.example"}
    page = reader.client.post("/console/sign-in", data={"token": reader.token(), "secret": "x"}, headers=foreign)
    assert (page.status_code, page.text) == (403, said)
