"""The public trial page: bounded for a visitor, an address and a day, exact, and private."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from modelmint.api.app import Application
from modelmint.api.problems import status_of
from modelmint.api.service import Service
from modelmint.bootstrap import open_shop
from modelmint.console.routes import console_routes
from modelmint.kit.period import month_of
from modelmint.operations.house import VISITORS
from modelmint.serving.errors import Overloaded
from modelmint.testing.pictures import picture
from modelmint.testing.shops import furnish
from modelmint.testing.ventures import venture_text

from .held import held_up

PAGE = """
[trial_page]
enabled = true
calls = 2
calls_per_address = 3
calls_per_day = 4
title = "Is it bright?"
title_zh = "亮不亮？"
"""


class Fair:
    """A shop with a trial page; every visitor comes with a browser of its own."""

    def __init__(self, root: Path, page: str) -> None:
        self.furnished = furnish(root, venture=venture_text() + page)
        self.shop = open_shop(root)
        self.service = Service(self.shop)
        routes = console_routes(self.shop, self.service.admin_token, status_of, self.service.predict)
        self.app = Application(self.service, routes)

    def visitor(self, address: str = "192.0.2.1") -> TestClient:
        return TestClient(self.app, base_url="http://shop.test", client=(address, 1), raise_server_exceptions=False)

    def calls(self) -> int:
        books = self.shop.books
        return int(books.usage(VISITORS, month_of(books.now())).calls)

    def close(self) -> None:
        self.service.close()
        self.shop.close()


@pytest.fixture
def fair(tmp_path: Path) -> Iterator[Fair]:
    made = Fair(tmp_path, PAGE)
    yield made
    made.close()


def fields(client: TestClient) -> dict[str, str]:
    return dict(re.findall(r'name="(token|once)" value="(\w+)"', client.get("/try").text))


def drop(client: TestClient, content: bytes = picture(250), **more: str) -> httpx.Response:
    files = {"picture": ("scan.png", content, "image/png")}
    answer: httpx.Response = client.post("/try", data={**fields(client), **more}, files=files)
    return answer


def test_a_shop_without_the_flag_has_no_such_page(tmp_path: Path) -> None:
    shut = Fair(tmp_path, "")
    assert shut.visitor().get("/try").status_code == 404
    shut.close()


def test_a_visitor_tries_without_a_key_and_the_call_is_in_the_books(fair: Fair) -> None:
    client = fair.visitor()
    assert "Is it bright?" in client.get("/try").text
    assert "亮不亮？" in fair.visitor().get("/try?lang=zh").text
    page = drop(client)
    assert page.status_code == 200
    assert "bright" in page.text and page.text.count("data:image/png;base64,") == 2
    assert "1 of 2 tries left" in page.text and "for tests only" in page.text
    assert fair.calls() == 1
    assert fair.shop.books.draft_period(VISITORS, month_of(fair.shop.books.now()), "") == []
    assert "trial-page" not in {plan.name for plan in fair.shop.books.plans()}


def test_bounds_hold_for_a_visitor_an_address_and_a_day(fair: Fair) -> None:
    first = fair.visitor()
    assert [drop(first).status_code for _ in range(2)] == [200, 200]
    assert "used up" in first.get("/try").text
    second = fair.visitor()  # a new cookie at the same address
    assert drop(second).status_code == 200
    refused = second.post("/try", data=fields(fair.visitor()), files={"picture": ("a", picture(250), "image/png")})
    assert refused.status_code == 403  # another visitor's form
    held = fields(fair.visitor("192.0.2.9"))
    assert held  # another address may still try
    third = fair.visitor("198.51.100.7")
    assert drop(third).status_code == 200
    late = fair.visitor("203.0.113.5")
    page = late.get("/try")
    assert "used up" in page.text  # all four of the day
    forced = dict(re.findall(r'name="(token)" value="(\w+)"', page.text)) | {"once": "0" * 32}
    answer = late.post("/try", data=forced, files={"picture": ("a", picture(250), "image/png")})
    assert answer.status_code == 429
    assert fair.calls() == 4


def test_many_at_once_never_get_more_than_there_are(fair: Fair) -> None:
    clients = [fair.visitor(f"198.51.{place}.7") for place in range(12)]
    forms = [fields(client) for client in clients]

    def one(place: int) -> int:
        files = {"picture": ("a.png", picture(250), "image/png")}
        return clients[place].post("/try", data=forms[place], files=files).status_code

    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(one, range(12)))
    assert sorted(found) == [200] * 4 + [429] * 8
    assert fair.calls() == 4


def test_what_cannot_be_used_costs_no_try(fair: Fair) -> None:
    client = fair.visitor()
    for content in (b"junk", b"", picture(250, form="JPEG")[:-40]):
        assert drop(client, content).status_code == 422
    assert drop(client).status_code == 200
    assert "1 of 2 tries left" in client.get("/try").text


def test_what_cannot_be_used_is_bounded_for_an_address_and_told_in_both_languages(fair: Fair) -> None:
    clients = [fair.visitor() for _ in range(2)]  # of one address, which has 3 tries a day and so 15 in vain
    assert [drop(clients[place % 2], b"junk").status_code for place in range(15)] == [422] * 15
    for language, words in (
        ("en", "15 tries of today from your network could not be used"),
        ("zh", "已有 15 次提交无法使用"),
    ):
        clients[0].get(f"/try?lang={language}")
        for content in (b"junk", picture(250)):
            page = drop(clients[0], content)
            assert page.status_code == 429 and words in page.text
    assert fair.calls() == 0
    assert drop(fair.visitor("198.51.100.7")).status_code == 200


def double_click(
    fair: Fair, client: TestClient, monkeypatch: pytest.MonkeyPatch, second_post: Event, fails: bool
) -> list[httpx.Response]:
    """One form posted twice, the second while the first is under way, which comes to nothing where it ``fails``."""
    form, cookie = fields(client), client.cookies["mm_session"]
    failure = Overloaded("too much to do", retry_after=1) if fails else None
    begun = held_up(fair.service.host, monkeypatch, second_post, failure)

    def one_click(first: bool) -> httpx.Response:
        if not first:
            assert begun.wait(240)
        other = fair.visitor()
        other.cookies.set("mm_session", cookie, path="/try")
        page: httpx.Response = other.post("/try", data=form, files={"picture": ("a", picture(240), "image/png")})
        return page

    with ThreadPoolExecutor(2) as pool:
        pages = list(pool.map(one_click, (True, False)))
    refused = fair.shop.books.usage(VISITORS, month_of(fair.shop.books.now())).refused
    assert refused.get("in_progress", 0) >= 1  # the second did come while the first ran
    return pages


def test_a_double_click_on_the_last_try_is_one_try_and_one_answer_twice(
    fair: Fair, monkeypatch: pytest.MonkeyPatch, second_post: Event
) -> None:
    client = fair.visitor()
    assert drop(client).status_code == 200
    pages = double_click(fair, client, monkeypatch, second_post, fails=False)
    assert [page.status_code for page in pages] == [200, 200]
    answers = [re.search(r'<section class="card tried" id="answer">.*?</section>', p.text, re.DOTALL) for p in pages]
    assert answers[0] and answers[1] and answers[0][0] == answers[1][0]
    assert fair.calls() == 2
    assert "used up" in client.get("/try").text


def test_a_double_click_whose_first_post_fails_is_one_try(
    fair: Fair, monkeypatch: pytest.MonkeyPatch, second_post: Event
) -> None:
    client = fair.visitor()
    pages = double_click(fair, client, monkeypatch, second_post, fails=True)
    assert [page.status_code for page in pages] == [503, 200]
    assert fair.calls() == 1
    assert "1 of 2 tries left" in client.get("/try").text


def test_what_is_left_is_a_lead_with_its_consent(fair: Fair) -> None:
    client = fair.visitor()
    page = drop(client)
    name = re.search(r'name="prediction" value="(prd_\w+)"', page.text)[1]  # type: ignore[index]
    said = {"prediction": name, "thumbs": "up", "comment": "For our ward", "email": "ada@example.org", "consent": "yes"}
    sent = client.post("/try/say", data={**fields(client), **said})
    assert "Thank you" in sent.text
    (lead,) = fair.shop.books.visitors.all_leads()
    assert (lead.email, lead.comment, lead.prediction) == ("ada@example.org", "For our ward", name)
    assert lead.consent is not None and "180 days" in lead.consent
    (row,) = fair.shop.feedback.all()
    assert (row.thumbs, row.comment) == ("up", "")  # what is personal lies with the lead alone


@pytest.mark.parametrize(
    ("said", "words", "zh"),
    [
        ({"email": "ada@example.org"}, "only where you agree", "须先勾选同意"),
        ({"email": "nonsense", "consent": "yes"}, "like name@example.org", "邮箱格式应如"),
        ({}, "found neither", "请填写留言或邮箱"),
    ],
)
def test_an_address_without_consent_is_not_kept(fair: Fair, said: dict[str, str], words: str, zh: str) -> None:
    client = fair.visitor()
    for language, wanted in (("en", words), ("zh", zh)):
        client.get(f"/try?lang={language}")
        sent = client.post("/try/say", data={**fields(client), **said})
        assert sent.status_code == 422 and wanted in sent.text
    assert list(fair.shop.books.visitors.all_leads()) == []


def test_words_left_are_bounded_too_and_need_the_visitors_own_form(fair: Fair) -> None:
    client = fair.visitor()
    assert client.post("/try/say", data={"comment": "spam"}).status_code == 403
    for _ in range(10):
        assert client.post("/try/say", data={**fields(client), "comment": "hello"}).status_code == 200
    assert client.post("/try/say", data={**fields(client), "comment": "hello"}).status_code == 429
    assert len(list(fair.shop.books.visitors.all_leads())) == 10


def test_no_address_of_a_visitor_is_stored_anywhere(fair: Fair) -> None:
    drop(fair.visitor("198.51.100.77"))
    held = [p.name for p in fair.furnished.root.rglob("*") if p.is_file() and b"198.51.100.77" in p.read_bytes()]
    assert held == []


def test_the_founder_sees_leads_and_erases_them(fair: Fair) -> None:
    fair.shop.books.visitors.leave("ada@example.org", "<b>hi</b>", prediction=None, language="en", consent="yes")
    founder = fair.visitor("127.0.0.1")
    token = re.search(r'name="token" value="(\w+)"', founder.get("/console/sign-in").text)[1]  # type: ignore[index]
    founder.post("/console/sign-in", data={"token": token, "secret": fair.service.admin_token})
    page = founder.get("/console/leads").text
    assert "ada@example.org" in page and "&lt;b&gt;" in page and "http://shop.test/try" in page
    erase: Any = re.search(
        r'action="(/console/leads/lead_\w+/erase)"><input type="hidden" name="token" value="(\w+)"', page
    )
    assert "Erased" in founder.post(erase[1], data={"token": erase[2]}).text
    assert list(fair.shop.books.visitors.all_leads()) == []


def test_a_session_of_the_trial_page_opens_nothing_of_the_console(fair: Fair) -> None:
    client = fair.visitor()
    client.get("/try")
    cookie = next(one for one in client.cookies.jar if one.name == "mm_session")
    assert cookie.path == "/try"
    answer = client.get("/console/overview", headers={"cookie": f"mm_session={cookie.value}"}, follow_redirects=False)
    assert answer.status_code == 303 and "/sign-in" in answer.headers["location"]
