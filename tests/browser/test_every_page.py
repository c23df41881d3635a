"""Every page there is, in both languages, on a desk and on a telephone: taken from the navigation, so none is left out.

What no page may have (a console error, a request elsewhere, a missing word, sideways scrolling, an input without a
label, faint text) the walker notes on each, and fails at its end.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from modelmint.console import navigation

#: The first walk waits for the shop to be built.
pytestmark = pytest.mark.timeout(600)


def paths(groups: tuple[navigation.Group, ...]) -> list[str]:
    """Of all entries, in order."""
    return [entry.path for group in groups for entry in group.entries]


def subject_of(walker: Any, path: str) -> str:
    """Of a documentation picture: ``earn-en``, on a narrow window ``earn-en-narrow``."""
    return f"{path.rsplit('/', 1)[-1]}-{walker.words.language}" + ("" if walker.width > 400 else "-narrow")


def walk(walker: Any, places: list[str]) -> None:
    """Open each, and see that it is itself and not another."""
    for path in places:
        walker.go(path)
        assert walker.page.url.endswith(path), f"{path} led to {walker.page.url}"
        assert walker.page.locator("[aria-current=page]").count() >= 1, path
        if not path.endswith("/try"):  # the story's picture shows an answer
            walker.shoot(subject_of(walker, path))


def test_the_founder_walks_every_page(walker: Any) -> None:
    walker.resident.calls(2)
    walker.sign_in(walker.street.token)
    places = paths(navigation.FOUNDER)
    links = {link.get_attribute("href") for link in walker.page.locator("nav.side a").all()}
    assert links == set(places) and len(places) > 9
    walk(walker, places)
    one = f"/console/customers/{walker.resident.id}"
    walk(walker, [one + tab.path for tab in navigation.TABS])
    walker.sign_out()


def test_a_customer_walks_every_page(walker: Any) -> None:
    walker.resident.calls(1)
    walker.sign_in(walker.resident.secret)
    walk(walker, paths(navigation.CUSTOMER))
    walker.sign_out()


def test_pages_of_single_things_are_walked_too(walker: Any) -> None:
    walker.sign_in(walker.street.token)
    for path in (f"/console/partners/{walker.street.partner}", "/console/invoices/1", "/console/invoices?status=paid"):
        walker.go(path)
    walker.sign_out()


def test_the_keyboard_reaches_the_content_first_and_every_slider(walker: Any) -> None:
    walker.sign_in(walker.street.token)
    walker.go("/console/earn")
    walker.page.keyboard.press("Tab")
    walker.until("document.activeElement.className === 'skip'")
    walker.page.keyboard.press("Enter")
    walker.until("location.hash === '#content'")
    slider = walker.page.locator("input[data-for=dial-calls]")
    slider.focus()
    before = int(walker.page.input_value("#dial-calls"))
    walker.page.keyboard.press("ArrowRight")
    walker.until(f"Number(document.querySelector('#dial-calls').value) > {before}")
    assert slider.get_attribute("aria-valuetext").startswith(walker.page.input_value("#dial-calls"))


def test_in_a_dark_window_every_text_can_be_read(chromium: Any, street: Any, watched: Any) -> None:
    walker = watched("en", 1280, color_scheme="dark")
    walker.sign_in(street.token)
    for path in paths(navigation.FOUNDER):
        walker.go(path)
    assert walker.troubles == []


def amount(text: str) -> float:
    """The first amount of a text, with its sign."""
    found = re.search(r"(−?)([\d,]+\.\d\d) USD", text)
    assert found, text
    return float(found[2].replace(",", "")) * (-1 if found[1] else 1)


def test_the_earnings_follow_the_sliders(walker: Any) -> None:
    walker.sign_in(walker.street.token)
    walker.go("/console/earn")
    before = amount(walker.text("#value"))
    slider = walker.page.locator("input[data-for=dial-calls]")
    with walker.page.expect_response(re.compile("/console/earn/figures")) as answered:
        slider.evaluate("(node) => { node.value = 6; node.dispatchEvent(new Event('input', {bubbles: true})); }")
    assert answered.value.status == 200
    assert walker.page.input_value("#dial-calls") == "1000000"
    walker.until("document.querySelector('#figures').dataset.shows?.includes('calls=1000000')")
    assert amount(walker.text("#value")) > 10 * before, "a hundred times the calls"
    assert walker.text("#heard").endswith(walker.text("#value"))
    walker.look()
    walker.page.reload()
    assert walker.page.input_value("#dial-calls") == "1000000", "the address says what was moved"
    walker.sign_out()


def test_a_broken_answer_leaves_the_figures_and_offers_the_button(street: Any, watched: Any) -> None:
    walker = watched("en", 1280)
    page = walker.page
    walker.sign_in(street.token)
    walker.go("/console/earn")
    before = walker.text("#figures")
    page.route("**/console/earn/figures**", lambda route: route.fulfill(status=500, body="<h1>Not the figures</h1>"))
    page.fill("#dial-calls", "1000000")
    page.locator("form[data-figures] button").wait_for()
    assert walker.text("#figures") == before
    page.unroute("**/console/earn/figures**")
    page.fill("#dial-calls", "0.5")
    walker.until("document.querySelector('#figures').dataset.shows?.includes('calls=0.5')")
    assert "0.5" in walker.text("#figures"), "what was wrong with the form is still shown beside it"


def test_without_scripts_a_button_computes_the_earnings(street: Any, watched: Any) -> None:
    walker = watched("en", 390, java_script_enabled=False)
    page = walker.page
    page.goto(f"{street.url}/console")
    page.fill("input[name=secret]", street.token)
    with page.expect_navigation():
        page.click("button.primary")
    page.goto(f"{street.url}/console/earn")
    assert page.locator("input[type=range]:visible").count() == 0, "a slider would do nothing"
    before = amount(page.inner_text("#value"))
    page.fill("#dial-calls", "1000000")
    with page.expect_navigation():
        page.click("button.primary")
    assert amount(page.inner_text("#value")) > 10 * before
    page.fill("#dial-calls", "")
    with page.expect_navigation():
        page.click("button.primary")
    assert page.inner_text("#value") == walker.words("earn.unstated")
    assert walker.troubles == []
