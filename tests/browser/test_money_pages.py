"""The money pages, walked as their readers do, in both languages, on a desk and on a telephone."""

from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest

from modelmint.kit.period import month_of

#: The first walk waits for the shop to be built.
pytestmark = pytest.mark.timeout(600)


def name_of(walker: Any, subject: str) -> str:
    """Of a documentation picture: one language on a wide window, the other on a narrow one."""
    return f"{subject}-{walker.words.language}" + ("" if walker.width > 400 else "-narrow")


def test_a_customer_sees_usage_grow_by_exactly_the_calls_made(walker: Any) -> None:
    walker.sign_in(walker.resident.secret)
    assert walker.text("#calls") == "0"
    walker.resident.calls(7)
    walker.go("/console/my/usage")
    assert walker.text("#calls") == "7"
    walker.resident.calls(5)
    walker.go("/console/my/usage")
    assert walker.text("#calls") == "12"
    assert walker.says("usage.by_model") and walker.street.model in walker.text()
    walker.shoot(name_of(walker, "usage"))
    walker.sign_out()


def test_a_customer_changes_its_plan_after_looking_at_what_that_costs(walker: Any) -> None:
    walker.resident.calls(3)
    walker.sign_in(walker.resident.secret)
    walker.go("/console/my/plan")
    walker.shoot(name_of(walker, "plan"))
    walker.follow(walker.page.locator('a[href$="plan=clinic"]'))
    assert "0.06 USD" in walker.text(), "what was used so far"
    assert re.search(r"\d+\.\d\d USD", walker.text(".verdict")), "the difference"
    walker.shoot(name_of(walker, "preview"))
    walker.press("plan.confirm")
    assert walker.says("said.plan_changed")
    assert walker.page.locator(".choice.now h3").inner_text() == "Clinic"
    walker.follow(walker.page.locator('a[href$="plan=payg"]'))
    walker.press("plan.when.period_end")
    walker.press("plan.confirm")
    assert walker.says("said.change_planned") and walker.says("plan.planned")
    walker.press("plan.keep")
    assert walker.says("said.kept") and not walker.says("plan.planned")
    walker.sign_out()


def test_a_customer_makes_a_key_whose_secret_is_shown_once_and_revokes_it(walker: Any) -> None:
    walker.sign_in(walker.resident.secret)
    walker.go("/console/my/keys")
    walker.page.fill("input[name=name]", "scanner two")
    walker.press("keys.make")
    secret = walker.text(".once code")
    assert secret.startswith("mm_")
    walker.go("/console/my/keys")
    assert secret not in walker.page.content()
    row = walker.page.locator("tr", has_text="scanner two")
    row.locator("summary").click()
    walker.follow(row.locator("button", has_text=walker.words("keys.revoke")))
    assert walker.says("said.key_revoked")
    assert walker.words("state.revoked") in walker.page.locator("tr", has_text="scanner two").inner_text()
    walker.go("/console/my/start")
    assert f"/v1/models/{walker.street.model}/predict" in walker.text()
    walker.sign_out()


def test_the_founder_bills_reads_the_invoice_and_keeps_it_as_pdf(walker: Any) -> None:
    walker.resident.calls(6)
    walker.sign_in(walker.street.token)
    walker.go(f"/console/customers/{walker.resident.id}/invoices")
    assert walker.says("invoice.upcoming")
    walker.press("invoice.close_now")
    assert walker.says("said.closed")
    walker.follow(walker.page.locator("td a").first)
    number = re.search(r"\d+", walker.text("h1"))
    assert number and walker.words("invoice.invoice", number=number[0]) in walker.text("h1")
    assert "6 × 0.02 USD = 0.12 USD" in walker.text().replace(" x ", " × ")
    assert walker.text("main").count("0.12 USD") >= 3
    walker.shoot(name_of(walker, "invoice"))
    if importlib.util.find_spec("weasyprint"):
        with walker.page.expect_download() as waiting:
            walker.page.click("#pdf")
        assert waiting.value.suggested_filename == f"invoice-{number[0]}.pdf"
        with open(waiting.value.path(), "rb") as file:  # noqa: PTH123 - the browser's own temporary file
            assert file.read(5) == b"%PDF-"
    walker.press("invoice.pay")
    assert walker.says("said.paid") and walker.words("state.paid") in walker.text("h1")
    walker.sign_out()


def test_the_printed_invoice_shows_in_its_own_style(walker: Any) -> None:
    walker.sign_in(walker.street.token)
    walker.go("/console/invoices/1/print")
    assert "1.00 USD" in walker.text("body")
    assert walker.page.evaluate("getComputedStyle(document.querySelector('header')).display") == "flex"


def test_the_founder_reads_a_partners_statement(walker: Any) -> None:
    walker.sign_in(walker.street.token)
    walker.go("/console/partners")
    walker.follow(walker.page.locator("a", has_text="Radiologie am Markt").first)
    statement = walker.text(".statement")
    assert "城南医院" in statement and "1.00 USD" in statement and "0.20 USD" in statement
    walker.shoot(name_of(walker, "partner"))
    walker.go("/console/channels")
    walker.sign_out()


def test_the_founder_checks_the_ledger_and_it_is_sound(walker: Any) -> None:
    walker.sign_in(walker.street.token)
    walker.go("/console/ledger")
    head = walker.text(".code code")
    walker.page.fill("input[name=noted]", head)
    walker.page.check("input[name=deep]")
    walker.press("ledger.check_now")
    assert walker.says("ledger.sound") and walker.text(".code code") == head
    walker.shoot(name_of(walker, "ledger"))
    walker.page.fill("input[name=noted]", "0" * 64)
    walker.press("ledger.check_now")
    assert walker.says("ledger.broken"), "a head that never was is missed"
    walker.sign_out()


def test_the_language_is_switched_on_the_page_and_stays(walker: Any) -> None:
    other = {"en": "zh", "zh": "en"}[walker.words.language]
    walker.sign_in(walker.street.token)
    with walker.page.expect_navigation():
        walker.page.click(f".languages a[lang={other}]")
    assert walker.page.get_attribute("html", "lang").startswith(other)
    walker.go("/console/customers")
    assert walker.page.get_attribute("html", "lang").startswith(other)


def test_the_pages_work_without_scripts(chromium: Any, resident: Any) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{resident.street.url}/console")
    page.fill("input[name=secret]", resident.secret)
    with page.expect_navigation():
        page.click("button.primary")
    page.goto(f"{resident.street.url}/console/my/keys")
    page.fill("input[name=name]", "plain")
    with page.expect_navigation():
        page.click("button.primary")
    assert page.inner_text(".once code").startswith("mm_")
    context.close()


def test_a_dark_window_is_dark(chromium: Any, street: Any) -> None:
    context = chromium.new_context(color_scheme="dark")
    page = context.new_page()
    page.goto(f"{street.url}/console")
    red, green, blue = map(
        int, re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    )
    assert max(red, green, blue) < 60
    context.close()


def test_the_chart_has_a_bar_for_today(walker: Any) -> None:
    walker.resident.calls(1)
    walker.sign_in(walker.resident.secret)
    assert walker.page.locator(".chart rect").count() >= 1
    start = month_of_today()
    assert start in walker.text(".chart-feet")


def month_of_today() -> str:
    from modelmint.kit.clock import SystemClock

    return f"{month_of(SystemClock().now()).start:%Y-%m-%d}"
