"""A reader drops a picture, sees label, heat map and price, and usage grows by one. Snippets run as they are copied."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from modelmint.bootstrap import open_shop
from modelmint.testing.pictures import picture

#: Labels of the release that is served.
DIGITS = tuple("0123456789")


def scan(number: int = 3) -> bytes:
    """A real scan of a digit, as PNG."""
    pixels = load_digits().images[number] * 15.9
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def drop(walker: Any, content: bytes | None = None) -> None:
    """Drag a file onto the zone, as the script takes it."""
    walker.page.evaluate(
        """bytes => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "scan.png", {type: "image/png"}));
          const zone = document.querySelector("[data-dropzone]");
          for (const name of ["dragenter", "dragover", "drop"]) {
            zone.dispatchEvent(new DragEvent(name, {dataTransfer: data, bubbles: true, cancelable: true}));
          }
        }""",
        list(content or scan()),
    )
    walker.until("document.querySelector('.dropzone').innerText.includes('scan.png')")
    walker.press("try.go")


def calls(walker: Any) -> int:
    walker.go("/console/my/usage")
    return int(walker.text("#calls").replace(",", ""))


def test_a_customer_drops_a_picture_and_usage_grows_by_exactly_one(walker: Any) -> None:
    walker.sign_in(walker.resident.secret)
    before = calls(walker)
    walker.go("/console/my/try")
    drop(walker)
    assert walker.text(".answer-label") in DIGITS
    assert walker.text(".price") == "0.02 USD"
    heat = walker.page.locator("img.heat")
    assert heat.evaluate("image => image.complete && image.naturalWidth") > 100
    assert int(walker.text("#used")) == before + 1
    walker.page.check("input[value=up]")
    walker.press("try.say")
    assert walker.says("said.feedback")
    assert calls(walker) == before + 1


def test_the_founder_sees_what_it_costs_and_what_every_plan_bills(walker: Any) -> None:
    walker.sign_in(walker.street.token)
    walker.press("nav.try") if walker.width > 760 else walker.go("/console/try")
    drop(walker)
    assert walker.text(".answer-label") in DIGITS
    prices = [one.replace("\u00a0", " ") for one in walker.page.locator(".price").all_inner_texts()]
    assert prices == [walker.words("try.nothing"), "0.02 USD", "0 USD"]
    walker.page.select_option("select[name=truth]", walker.text(".answer-label"))
    walker.press("try.say")
    walker.go("/console/feedback")
    assert "n = " in walker.text()


def test_a_visitor_tries_and_leaves_an_address(walker: Any) -> None:
    walker.go("/try")
    drop(walker, scan(4))
    assert walker.text(".answer-label") in DIGITS
    assert walker.page.locator("img.heat").count() == 1
    walker.page.check("input[value=down]")
    walker.page.fill("input[name=email]", f"{walker.words.language}{walker.width}@visitor.example")
    walker.page.check("input[name=consent]")
    walker.press("trial.send")
    assert walker.says("trial.thanks")
    walker.sign_in(walker.street.token)
    walker.go("/console/leads")
    assert f"{walker.words.language}{walker.width}@visitor.example" in walker.text()


@pytest.fixture
def copied(chromium: Any, resident: Any, tmp_path: Path) -> Callable[[str], str]:
    """What stands on the customer's start page under a heading; the picture lies beside it."""
    (tmp_path / "scan.png").write_bytes(picture(240))
    page = chromium.new_page(locale="en-GB")
    page.goto(f"{resident.street.url}/console/sign-in?next=/console/my/start")
    page.fill("input[name=secret]", resident.secret)
    with page.expect_navigation():
        page.click("button.primary")
    page.goto(f"{resident.street.url}/console/my/start")
    blocks = dict(
        zip(
            page.locator(".code-head span").all_inner_texts(), page.locator(".code code").all_inner_texts(), strict=True
        )
    )
    page.close()
    return lambda name: blocks[name]


def run(line: list[str], folder: Path, secret: str) -> str:
    done = subprocess.run(
        line,
        cwd=folder,
        env={**os.environ, "MODELMINT_KEY": secret},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_curl_snippets_run_as_they_are_copied(copied: Callable[[str], str], resident: Any, tmp_path: Path) -> None:
    plain = copied("curl").replace("mm_...", resident.secret)
    answer = run(["sh", "-c", plain], tmp_path, resident.secret)
    assert '"label":"' in answer
    name = answer.split('"id":"')[1].split('"')[0]
    explained = copied("curl, with the regions that spoke for the answer")
    assert '"explanation":{"kind":' in run(["sh", "-c", explained], tmp_path, resident.secret)
    said = copied("curl: say what was right").replace("prd_...", name)
    assert '"thumbs":"up"' in run(["sh", "-c", said], tmp_path, resident.secret)
    with open_shop(resident.street.root) as shop:
        assert [row.prediction for row in shop.feedback.page(resident.id).rows] == [name]


def test_the_python_snippet_runs_as_it_is_copied(copied: Callable[[str], str], resident: Any, tmp_path: Path) -> None:
    told = run([sys.executable, "-c", copied("Python")], tmp_path, resident.secret).split()
    assert told[0] in DIGITS and told[2].startswith("fbk_")


def test_the_javascript_snippet_runs_as_it_is_copied(
    copied: Callable[[str], str], resident: Any, tmp_path: Path, missing: Callable[[str], NoReturn]
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node (18 or newer), which runs the JavaScript snippet")
    (tmp_path / "call.mjs").write_text(copied("JavaScript"))
    assert run([node, "call.mjs"], tmp_path, resident.secret).split()[0] in DIGITS
