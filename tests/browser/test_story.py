"""The story that the console is for, told once from end to end: a customer tries, pays and keeps the paper; the founder
looks at what it earns.
"""

from __future__ import annotations

import importlib.util
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

#: The first walk waits for the shop to be built.
pytestmark = pytest.mark.timeout(600)


def calls(walker: Any) -> int:
    """What the usage page counts."""
    walker.go("/console/my/usage")
    return int(walker.text("#calls").replace(",", ""))


def scan(row: int) -> bytes:
    """A handwritten digit as PNG, large enough to look at."""
    pixels = np.round(load_digits().images[row] * 255 / 16).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((256, 256), Image.Resampling.BICUBIC).save(buffer, format="PNG")
    return buffer.getvalue()


def test_from_the_first_picture_to_the_invoice_in_hand(walker: Any, tmp_path: Path) -> None:
    page = walker.page
    # The customer drops a picture and sees label, heat map and price.
    walker.sign_in(walker.resident.secret)
    before = calls(walker)
    walker.go("/console/my/try")
    (tmp_path / "scan.png").write_bytes(scan(1796))
    page.set_input_files("input[type=file]", tmp_path / "scan.png")
    walker.press("try.go")
    assert walker.text(".answer-label") in set("0123456789")
    assert 0 < float(walker.text(".answer-probability").removesuffix("%")) <= 100
    assert page.locator("img.heat").evaluate("image => image.complete && image.naturalWidth") > 0
    assert walker.text(".price") == "0.02 USD"
    walker.shoot(f"try-{walker.words.language}" + ("" if walker.width > 400 else "-narrow"))
    # Usage grew by exactly that call.
    assert calls(walker) == before + 1
    walker.sign_out()

    # The founder looks at what a month would earn, and it moves with the slider.
    walker.sign_in(walker.street.token)
    walker.go("/console/earn")
    first = walker.text("#value")
    slider = page.locator("input[data-for=dial-calls]")
    slider.focus()
    with page.expect_response(re.compile("/console/earn/figures")):
        page.keyboard.press("End")
    walker.until("document.querySelector('#figures').dataset.shows?.includes('calls=100000000')")
    assert walker.text("#value") != first and "−" not in walker.text("#value")

    # The period is billed, and the invoice is downloaded.
    walker.go(f"/console/customers/{walker.resident.id}/invoices")
    walker.press("invoice.close_now")
    assert walker.says("said.closed")
    walker.sign_out()
    walker.sign_in(walker.resident.secret)
    walker.go("/console/my/invoices")
    walker.follow(page.locator("td a").first)
    assert "0.02 USD" in walker.text()
    if importlib.util.find_spec("weasyprint"):
        with page.expect_download() as waiting:
            page.click("#pdf")
        assert Path(waiting.value.path()).read_bytes().startswith(b"%PDF-")
    walker.sign_out()
