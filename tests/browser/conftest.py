"""A real shop behind a real server, and a real Chromium that looks at it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from modelmint.bootstrap import open_shop
from modelmint.cli.demo.calls import Caller as HttpCaller
from modelmint.console.words import Words
from modelmint.kit.period import month_of
from modelmint.operations.deploy import ensure_deployed
from modelmint.testing.books import Caller
from modelmint.testing.pictures import picture
from modelmint.testing.ventures import venture_text
from modelmint.testing.waiting import eventually

#: What docs/console.md shows. MODELMINT_SCREENSHOTS=docs/images writes them anew.
PICTURES = (
    "overview-en", "preview-en", "invoice-zh", "ledger-en", "usage-zh-narrow", "preview-en-narrow", "earn-en",
    "earn-zh", "earn-en-narrow", "start-en", "release-en", "release-zh-narrow", "try-en", "try-zh-narrow", "data-en",
)  # fmt: skip
#: What every page is asked for a reader who does not see it.
ACCESSIBLE = (Path(__file__).parent / "accessible.js").read_text(encoding="utf-8")
#: A digits venture that was built before, to walk in without waiting for a build.
BUILT = os.environ.get("MODELMINT_TEST_VENTURE")
#: A small model of real scans, built in a few epochs; only the plans are those of ``venture_text``.
MODEL = """
[data]
source = "sklearn:digits"

[model]
base = "cnn"
image_size = 8
epochs = 3

[compress]
recipe = []

[gates]
accuracy = ">= 0.6"

[costs]
wrong_answer = "0.01 USD"
payment_fee = "2.9 %"

[trial_page]
enabled = true
calls_per_address = 100
"""
CHROMIUM = os.environ.get("MODELMINT_TEST_CHROMIUM", "/usr/bin/chromium")
#: Milliseconds that a window waits for whatever it waits for; only a hang takes longer, on a busy machine too.
PATIENCE = 120_000


@dataclass(frozen=True)
class Browser:
    """Opens windows that are patient."""

    chromium: Any

    def new_context(self, **more: object) -> Any:
        context = self.chromium.new_context(**more)
        context.set_default_timeout(PATIENCE)
        return context

    def new_page(self, **more: object) -> Any:
        page = self.chromium.new_page(**more)
        page.set_default_timeout(PATIENCE)
        return page


@pytest.fixture(scope="module")
def chromium(missing: Callable[[str], NoReturn]) -> Iterator[Any]:
    """The system's own; playwright brings none.

    Closed with each file of tests: an open playwright is a running event loop for every later test of this process.
    """
    if not Path(CHROMIUM).exists():
        missing(f"needs Chromium at {CHROMIUM} (set MODELMINT_TEST_CHROMIUM)")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("needs playwright")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=PATIENCE)
        yield Browser(browser)
        browser.close()


@dataclass(frozen=True)
class Street:
    """A served shop with a partner, whose end customer has an invoice."""

    root: Path
    url: str
    model: str
    token: str
    partner: str


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venture with a release that a real build trained, judged and priced; the founder's pages show it."""
    root = tmp_path_factory.mktemp("street")
    text = venture_text("digits", use="not for clinical use")
    head, tail = text.index("[data]"), text.index("[demand]")
    text = text[:head] + MODEL.lstrip() + "\n" + text[tail:]
    text = text.replace("tells dark pictures from bright ones", "reads one handwritten digit")
    (root / "venture.toml").write_text(text, encoding="utf-8")
    if BUILT:
        shutil.copytree(Path(BUILT) / ".modelmint", root / ".modelmint")
        return root
    line = [sys.executable, "-m", "modelmint", "-C", str(root), "--json", "build"]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return root


@pytest.fixture(scope="session")
def street(built: Path) -> Iterator[Street]:
    """One server for all walks; every walk has a customer of its own."""
    root = built
    with open_shop(root) as shop:
        books = shop.books
        ensure_deployed(books, shop.shelf)
        partner = books.channels.add_partner(books.add_customer("Radiologie am Markt", "").id, "commission", "0.2")
        end = books.channels.add_customer(partner.id, "城南医院", "desk@hospital.example")
        books.subscribe(end.id, "payg")
        Caller(books, end, *books.add_key(end.id, "calls")).call(calls=50)
        books.close_period(end.id, month_of(books.now()), shop.notice, until_now=True)
    line = [sys.executable, "-m", "modelmint", "-C", str(root), "--json", "serve", "--workers", "1", "--port", "0"]
    server = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None
        url = json.loads(server.stdout.readline())["url"]
        token = (root / ".modelmint" / "keys" / "admin.token").read_text().strip()
        yield Street(root, url, "digits", token, partner.id)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(240)
        finally:
            server.kill()


@dataclass(frozen=True)
class Resident:
    """A new customer on ``payg`` who calls."""

    street: Street
    id: str
    name: str
    secret: str

    def calls(self, number: int) -> None:
        """Paid calls through the server."""
        caller = HttpCaller(self.street.url, self.street.model, self.secret)
        for _ in range(number):
            assert caller.call(picture(240)).status == 200
        caller.close()


@pytest.fixture
def resident(street: Street) -> Resident:
    name = f"Clinic {secrets.token_hex(3)}"
    with open_shop(street.root) as shop:
        customer = shop.books.add_customer(name, "desk@clinic.example")
        shop.books.subscribe(customer.id, "payg")
        _, secret = shop.books.add_key(customer.id, "default")
    return Resident(street, customer.id, name, secret)


@dataclass
class Walker:
    """One reader's browser window. Notes whatever no reader should meet."""

    page: Any
    street: Street
    resident: Resident
    words: Words
    width: int
    troubles: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", lambda told: self._trouble(told.type in ("error", "warning"), f"console: {told.text}"))
        self.page.on("pageerror", lambda error: self._trouble(True, f"script: {error}"))
        self.page.on("request", lambda asked: self._trouble(not asked.url.startswith(self.street.url), asked.url))
        self.page.on("response", lambda got: self._trouble(got.status >= 400, f"{got.status} {got.url}"))
        self.page.on("load", lambda _: self.look())

    def _trouble(self, found: bool, what: str) -> None:
        if found:
            self.troubles.append(what)

    def look(self) -> None:
        """What every page must be: complete in its language, no wider than the window, open to every reader."""
        self._trouble("⟦" in self.page.content(), f"a missing word on {self.page.url}")
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        self._trouble(wide > self.width, f"{self.page.url} is {wide} wide")
        for what in self.page.evaluate(ACCESSIBLE):
            self._trouble(True, f"{self.page.url}: {what}")

    def go(self, path: str) -> None:
        self.page.goto(self.street.url + path)
        self.look()

    def press(self, words: str, **values: object) -> None:
        """Press the button or link that carries these words."""
        text = self.words(words, **values)
        self.follow(self.page.locator("button:visible, a:visible", has_text=text).first)

    def follow(self, element: Any) -> None:
        """Press what leads to another page, and wait until that page is there."""
        with self.page.expect_navigation():
            element.click()
        self.look()

    def until(self, holds: str) -> None:
        """Wait until an expression of the page's scripts is true.

        Asked again from here: Playwright's own ``wait_for_function`` asks again from inside the page with ``eval``,
        which the console's content security policy forbids, so it fails wherever its first look comes too early.
        """
        eventually(lambda: self.page.evaluate(holds), otherwise=lambda: f"{self.page.url}: {holds} never came to hold")

    def sign_in(self, secret: str) -> None:
        self.go("/console")
        self.page.fill("input[name=secret]", secret)
        self.press("signin.go")

    def sign_out(self) -> None:
        self.press("frame.sign_out")
        assert self.says("said.signed_out")

    def says(self, words: str, **values: object) -> bool:
        return self.words(words, **values) in self.text()

    def text(self, of: str = "main") -> str:
        """What a reader reads, with plain spaces."""
        return str(self.page.inner_text(of)).replace("\u00a0", " ")

    def shoot(self, name: str) -> None:
        """A picture for the documentation, where they are asked for."""
        folder = os.environ.get("MODELMINT_SCREENSHOTS")
        if folder and name in PICTURES:
            self.page.screenshot(path=str(Path(folder) / f"console-{name}.png"))


@pytest.fixture
def watched(chromium: Any, resident: Resident) -> Iterator[Callable[..., Walker]]:
    """Opens windows whose troubles are noted: language, width, whatever else a window can be."""
    contexts: list[Any] = []

    def open_window(language: str, width: int, **more: object) -> Walker:
        locale = {"en": "en-GB", "zh": "zh-CN"}[language]
        size = {"width": width, "height": 820}
        contexts.append(chromium.new_context(viewport=size, locale=locale, accept_downloads=True, **more))
        walker = Walker(contexts[-1].new_page(), resident.street, resident, Words(language), width)
        walker.watch()
        return walker

    yield open_window
    for context in contexts:
        context.close()


@pytest.fixture(params=[("en", 1280), ("zh", 1280), ("en", 390), ("zh", 390)], ids=lambda p: f"{p[0]}-{p[1]}")
def walker(watched: Callable[..., Walker], request: pytest.FixtureRequest) -> Iterator[Walker]:
    walker = watched(*request.param)
    yield walker
    assert walker.troubles == []
