"""The page on which one tries a model: a real call, metered once; what goes wrong is told on the page itself."""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from modelmint.console.forms import LARGEST_FORM
from modelmint.kit.period import month_of
from modelmint.operations.house import HOUSE
from modelmint.serving.errors import EngineFailed
from modelmint.testing.pictures import picture

from .held import held_up

MINE, FOUNDERS = "/console/my/try", "/console/try"


def drop(reader: Any, path: str, content: bytes, **fields: str) -> httpx.Response:
    """Load the page and send its form with a picture, as a browser would."""
    page = reader.get(path).text
    found = dict(re.findall(r'name="(token|once)" value="(\w+)"', page))
    data = {"model": "brightness", **found, **fields}
    answer: httpx.Response = reader.client.post(path, data=data, files={"picture": ("scan.png", content, "image/png")})
    return answer


def calls(desk: Any, customer: str | None = None) -> int:
    books = desk.shop.books
    return int(books.usage(customer or desk.furnished.customer, month_of(books.now())).calls)


def answer_of(text: str) -> tuple[str, ...]:
    """What a page says of a call: its name and answer, its pictures, what it is billed and what was used."""
    section = re.search(r'<section class="card tried" id="answer">.*?</section>', text, re.DOTALL)
    prices = re.findall(r'<span class="price">(.*?)</span>', text)
    assert section and prices, shown(text)
    return (section[0], *prices)


def shown(text: str) -> str:
    """What a reader reads, roughly."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_a_customers_try_is_one_call_on_the_key_that_signed_in(desk: Any, customer: Any) -> None:
    page = drop(customer, MINE, picture(250), explain="yes")
    assert page.status_code == 200
    text = shown(page.text)
    assert "bright" in text and "0.02 USD" in text and "Your calls this period 1" in text
    assert page.text.count("data:image/png;base64,") == 2  # the picture and its heat map
    assert "img-src 'self' data:" in page.headers["content-security-policy"]
    usage = desk.shop.books.usage(desk.furnished.customer, month_of(desk.shop.books.now()))
    assert (usage.calls, usage.by_key, usage.by_meter["explanations"]) == (1, {desk.furnished.key: 1}, 1)


def test_without_the_tick_nothing_is_explained_or_metered_as_explained(desk: Any, customer: Any) -> None:
    page = drop(customer, MINE, picture(250))
    assert page.text.count("data:image/png;base64,") == 1
    usage = desk.shop.books.usage(desk.furnished.customer, month_of(desk.shop.books.now()))
    assert "explanations" not in usage.by_meter


def test_the_same_form_sent_again_is_the_same_call(desk: Any, customer: Any) -> None:
    page = customer.get(MINE).text
    fields = {"model": "brightness", "explain": "yes", **dict(re.findall(r'name="(token|once)" value="(\w+)"', page))}
    files = {"picture": ("a.png", picture(250), "image/png")}
    first, again = (customer.client.post(MINE, data=fields, files=files) for _ in range(2))
    assert answer_of(first.text) == answer_of(again.text) and calls(desk) == 1
    assert "This form was sent before" in again.text and "This form was sent before" not in first.text
    stored = b"".join(p.read_bytes() for p in desk.furnished.root.rglob("*") if p.is_file() and "books" in p.name)
    assert b"data:image" not in stored and b"iVBOR" not in stored  # what is kept for it holds no picture


@pytest.mark.parametrize("explain", ["yes", "no"])
def test_a_double_click_gets_one_answer_twice_and_is_billed_once(
    desk: Any, customer: Any, monkeypatch: pytest.MonkeyPatch, second_post: threading.Event, explain: str
) -> None:
    fields = {"model": "brightness", "explain": explain}
    fields |= dict(re.findall(r'name="(token|once)" value="(\w+)"', customer.get(MINE).text))
    held_up(desk.app.service.predict.host, monkeypatch, second_post)
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(one_click, desk, customer.cookie(), fields) for _ in range(2)]
        pages = [each.result() for each in sent]
    assert [page.status_code for page in pages] == [200, 200]
    assert answer_of(pages[0].text) == answer_of(pages[1].text)
    assert pages[0].text.count("data:image/png;base64,") == (2 if explain == "yes" else 1)
    assert sorted("This form was sent before" in page.text for page in pages) == [False, True]
    usage = desk.shop.books.usage(desk.furnished.customer, month_of(desk.shop.books.now()))
    assert usage.calls == 1 and usage.refused.get("in_progress", 0) >= 1  # the second did come while the first ran


def test_a_model_that_takes_too_long_is_told_and_the_same_form_gets_its_one_answer_later(
    desk: Any, customer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"model": "brightness"} | dict(re.findall(r'name="(token|once)" value="(\w+)"', customer.get(MINE).text))
    go = threading.Event()
    held_up(desk.app.service.predict.host, monkeypatch, go)
    monkeypatch.setattr("modelmint.operations.try_out.PATIENCE", 0.2)
    early = one_click(desk, customer.cookie(), fields)
    assert (early.status_code, "send the same form again" in early.text) == (504, True)
    monkeypatch.setattr("modelmint.operations.try_out.PATIENCE", 240)
    go.set()
    assert one_click(desk, customer.cookie(), fields).status_code == 200
    assert calls(desk) == 1


def one_click(desk: Any, cookie: str, fields: dict[str, str]) -> httpx.Response:
    """The form posted by the same browser, on a connection of its own."""
    client = desk.reader().client
    client.cookies.set("mm_session", cookie, path="/console")
    answer: httpx.Response = client.post(MINE, data=fields, files={"picture": ("a", picture(250), "image/png")})
    return answer


@pytest.mark.parametrize(
    ("content", "said", "gesagt"),
    [
        (b"", "found none", "没有图片"),
        (b"not a picture", "something else", "这不是图片"),
        (picture(250, side=200, noise=90, form="JPEG")[:-900], "ends early or is damaged", "不完整或已损坏"),
    ],
)
def test_what_is_no_picture_is_told_on_the_page_in_both_languages_and_not_billed(
    desk: Any, customer: Any, content: bytes, said: str, gesagt: str
) -> None:
    for language, words in (("en", said), ("zh", gesagt)):
        customer.get(f"{MINE}?lang={language}")
        page = drop(customer, MINE, content)
        assert page.status_code == 422
        assert words in page.text and 'role="alert"' in page.text and 'name="picture"' in page.text
    assert calls(desk) == 0


def test_a_file_too_large_is_told_on_the_page_and_not_billed(desk: Any, customer: Any) -> None:
    most = desk.shop.max_body + LARGEST_FORM
    for language, words in (("en", f"at most {most} bytes"), ("zh", "文件过大")):
        customer.get(f"{MINE}?lang={language}")
        page = drop(customer, MINE, b"\x89PNG" + bytes(most))
        assert page.status_code == 413
        assert words in page.text and 'name="picture"' in page.text
    assert calls(desk) == 0


def test_a_form_of_another_session_or_none_makes_no_call(desk: Any, customer: Any) -> None:
    foreign = desk.reader(desk.furnished.secret).token(MINE)
    for token in (foreign, ""):
        page = drop(customer, MINE, picture(250), token=token)
        assert page.status_code == 403
    broken = customer.client.post(
        MINE, content=b"--x\r\nbroken", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert broken.status_code in (403, 422)
    assert calls(desk) == 0


def test_a_refusal_of_the_plan_is_told_on_the_page(desk: Any) -> None:
    books = desk.shop.books
    made = books.add_customer("Trial only", "")
    books.subscribe(made.id, "trial")
    _, secret = books.add_key(made.id, "default")
    reader = desk.reader(secret)
    for _ in range(3):
        assert drop(reader, MINE, picture(250)).status_code == 200
    page = drop(reader, MINE, picture(250))
    assert page.status_code == 402
    assert "has 3 free calls; all are used" in page.text.replace("&#39;", "'")
    reader.get(f"{MINE}?lang=zh")
    assert "3 次免费调用已用完" in drop(reader, MINE, picture(250)).text


def test_the_founders_try_is_a_call_of_the_house_with_every_plans_price(desk: Any, founder: Any) -> None:
    for _ in range(2):
        page = drop(founder, FOUNDERS, picture(5), explain="yes")
    text = shown(page.text)
    assert page.status_code == 200 and "dark" in text
    assert "0.02 USD" in text and "49.00 USD a month, 5,000 calls included" in text and "0 USD" in text
    assert "no cost statement" in text  # the test's release was never measured, and the page says so
    books = desk.shop.books
    house = books.customer(HOUSE)
    assert calls(desk, house.id) == 2 and calls(desk) == 0
    assert len(books.keys(house.id)) == 1 and [one.name for one in books.customers()].count(HOUSE) == 1
    assert "house-tries" not in {plan.name for plan in books.plans()}  # nobody else can take it
    assert books.draft_period(house.id, month_of(books.now()), "") == []  # nothing is ever due


def test_feedback_on_the_page_is_that_customers(desk: Any, customer: Any) -> None:
    page = drop(customer, MINE, picture(250))
    name = re.search(r"<code>(prd_\w+)</code>", page.text)[1]  # type: ignore[index]
    sent = customer.post(f"{MINE}/say", on=MINE, prediction=name, thumbs="down", truth="dark", comment="a\r\nlamp")
    assert "Your feedback was recorded" in sent.text
    (row,) = desk.shop.feedback.all()
    assert (row.customer, row.answer, row.truth, row.thumbs, row.comment, row.key) == (
        desk.furnished.customer, "bright", "dark", "down", "a\nlamp", desk.furnished.key,
    )  # fmt: skip
    for wrong in (
        {"prediction": "prd_" + "0" * 24, "thumbs": "up"},
        {"prediction": name},
        {"prediction": name, "thumbs": "x"},
    ):
        assert customer.post(f"{MINE}/say", on=MINE, **wrong).status_code in (404, 422)


def test_the_founder_reads_feedback_with_its_interval(desk: Any, customer: Any, founder: Any) -> None:
    assert "No feedback yet" in founder.get("/console/feedback").text
    page = drop(customer, MINE, picture(250))
    name = re.search(r"<code>(prd_\w+)</code>", page.text)[1]  # type: ignore[index]
    customer.post(f"{MINE}/say", on=MINE, prediction=name, truth="bright", comment="<script>alert(1)</script>")
    text = founder.get("/console/feedback").text
    assert "100.0 %" in text and "20.7 to 100.0 %, n = 1" in text  # Wilson for 1 of 1
    assert "<script>alert" not in text and "&lt;script&gt;" in text


def test_a_customer_sees_no_page_of_the_founders(customer: Any) -> None:
    for path in (FOUNDERS, "/console/feedback", "/console/leads"):
        assert customer.get(path).status_code == 403


def test_consent_is_a_switch_where_the_venture_stores_inputs(desk: Any, customer: Any) -> None:
    assert "I agree" not in customer.get(MINE).text  # this venture keeps nothing
    customer.post(f"{MINE}/consent", on=MINE, inputs="yes")
    assert desk.shop.books.people.consents(desk.furnished.customer)
    assert "Withdraw" in customer.get(MINE).text
    assert "what was kept is deleted" in customer.post(f"{MINE}/consent", on=MINE, inputs="no").text
    assert not desk.shop.books.people.consents(desk.furnished.customer)


def test_pictures_that_wait_for_a_model_keep_no_other_page_waiting(
    desk: Any, founder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, begun = threading.Event(), threading.Semaphore(0)

    def waits(*_: object, **__: object) -> None:
        begun.release()
        done.wait(240)
        raise EngineFailed("the model could not answer this call")

    monkeypatch.setattr("modelmint.console.pages.tryit.try_out", waits)
    token = founder.token("/console/try")

    async def crowd() -> tuple[int, set[int]]:
        transport = httpx.ASGITransport(app=desk.app)
        cookies = {"cookie": f"mm_session={founder.cookie()}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test", headers=cookies) as http:
            # More than an event loop has threads for whoever asks it (32 at most).
            tries = [
                asyncio.create_task(
                    http.post(
                        "/console/try",
                        data={"token": token, "once": f"{number:032}", "model": desk.furnished.model},
                        files={"picture": picture(number)},
                    )
                )
                for number in range(40)
            ]
            try:
                assert await asyncio.to_thread(begun.acquire, timeout=120)
                page = await asyncio.wait_for(http.get("/console/feedback"), 120)
            finally:
                done.set()
                answers = await asyncio.gather(*tries)
            return page.status_code, {answer.status_code for answer in answers}

    assert asyncio.run(crowd()) == (200, {500})
