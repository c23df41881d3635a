"""The page of a release: what is shown, to whom, and what no reader gets out of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from modelmint.operations.deploy import deploy
from modelmint.testing.dossiers import keep_cases, told_release

PAGES = ("/console/release", "/console/release/{id}", "/console/release/{id}/report")


@pytest.fixture
def release(desk: Any) -> str:
    """A release told whole, with cases, that is served."""
    found = told_release(desk.shop.workspace)
    keep_cases(desk.shop.workspace, found)
    deploy(desk.shop.books, desk.shop.shelf, found.id)
    return found.id


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


@pytest.mark.parametrize(("language", "says"), [("en", "Surest and wrong"), ("zh", "最有把握却错误")])
def test_the_page_tells_the_release_that_is_served_in_the_readers_language(
    desk: Any, release: str, language: str, says: str
) -> None:
    founder = desk.reader(desk.token)
    page = founder.get(f"/console/release?lang={language}")
    assert page.status_code == 200
    assert release[:12] in page.text and says in page.text
    for figure in ("911.5", "243.80", "0.2750", "int8@onnxruntime"):
        assert figure in page.text
    assert "⟦" not in page.text and 'style="' not in page.text and "<script>" not in page.text


def test_the_older_release_is_listed_and_says_what_it_lacks(desk: Any, founder: Any, release: str) -> None:
    old = desk.furnished.release
    assert f"/console/release/{old}" in founder.get("/console/release").text
    text = words(founder.get(f"/console/release/{old[:10]}").text)
    assert "No priced cost statement lies beside this release." in text
    assert "To fill it: modelmint build" in text


def test_names_that_serve_it_are_shown(desk: Any, founder: Any, release: str) -> None:
    served = re.search(r"Served as</dt>\s*<dd>([^<]*)</dd>", founder.get("/console/release").text)
    assert served and served[1].strip() == "brightness"
    served = re.search(
        r"Served as</dt>\s*<dd>([^<]*)</dd>", founder.get(f"/console/release/{desk.furnished.release}").text
    )
    assert served and served[1].strip() == "nothing at the moment"


def test_pictures_of_cases_go_to_the_founder_only(desk: Any, founder: Any, release: str) -> None:
    addresses = re.findall(r'src="(/console/release/[^"]+)"', founder.get("/console/release").text)
    assert len(addresses) == 6
    for address in addresses:
        answer = founder.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert answer.content.startswith(b"\x89PNG")
        assert answer.headers["cache-control"] == "no-store"
        stranger = desk.reader().get(address, follow_redirects=False)
        assert stranger.status_code == 303 and "/console/sign-in" in stranger.headers["location"]
        assert desk.reader(desk.furnished.secret).get(address).status_code == 403


@pytest.mark.parametrize(
    "rest",
    ["brightness/9/picture", "brightness/0/other", "other/0/picture", "..%2F..%2Fkeys/0/picture", "brightness/-1/heat"],
)
def test_nothing_else_of_the_workspace_is_handed_out(founder: Any, release: str, rest: str) -> None:
    assert founder.get(f"/console/release/{release}/cases/{rest}").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_a_customer_sees_no_release_page(desk: Any, customer: Any, release: str, path: str) -> None:
    assert customer.get(path.format(id=release)).status_code == 403


def test_the_report_is_a_page_of_its_own_whose_style_applies_and_nothing_else(founder: Any, release: str) -> None:
    answer = founder.get(f"/console/release/{release}/report?lang=zh")
    assert answer.status_code == 200 and "发布报告：brightness" in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-") and policy.endswith("; img-src data:")
    assert "content-disposition" not in answer.headers
    saved = founder.get(f"/console/release/{release}/report?save=html")
    assert saved.headers["content-disposition"] == f'attachment; filename="report-{release[:12]}-zh.html"'


def test_the_report_is_saved_as_pdf_where_the_shop_can_print(
    founder: Any, release: str, missing: Callable[[str], NoReturn]
) -> None:
    answer = founder.get(f"/console/release/{release}/report?save=pdf&lang=en")
    if answer.status_code == 503:
        missing("PDF needs weasyprint and Pango")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == f'attachment; filename="report-{release[:12]}-en.pdf"'
    assert answer.content.startswith(b"%PDF-") and len(answer.content) > 20_000


@pytest.mark.parametrize("wanted", ["ffff", "%2e%2e", "'", "x" * 300])
def test_an_unknown_release_is_not_found_in_both_languages(founder: Any, wanted: str) -> None:
    for language, says in (("en", "There is no such release"), ("zh", "没有该发布"), ("zh", "没有以")):
        answer = founder.get(f"/console/release/{wanted}?lang={language}")
        assert answer.status_code == 404
        assert says in answer.text


def test_a_broken_release_is_named_and_hides_no_other(desk: Any, founder: Any, release: str) -> None:
    (desk.shop.shelf.root / desk.furnished.release / "manifest.json").write_text("{}")
    page = founder.get("/console/release")
    assert page.status_code == 200
    assert f"A release on the shelf is broken: release {desk.furnished.release[:12]}" in words(page.text)
    assert release[:12] in page.text
    chinese = words(founder.get("/console/release?lang=zh").text)
    assert f"有一个发布已损坏：发布 {desk.furnished.release[:12]} 已损坏，无法打开。" in chinese


def test_a_damaged_file_is_told_on_the_page(desk: Any, founder: Any, release: str) -> None:
    (desk.shop.shelf.root / release / "evaluation.json").write_text("{}")
    page = founder.get(f"/console/release/{release}")
    assert page.status_code == 200
    assert "files that are not what they were: 1" in words(page.text)
    assert "The release holds no scorecard that can be read." in words(page.text)
