"""Pages on paper: nothing is read but the page, and a process of its own tells what went wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from modelmint.kit import pdf
from modelmint.kit.errors import MissingExtra
from modelmint.kit.pdf import PrintingFailed, pdf_apart, pdf_of


@pytest.fixture
def prints(missing: Callable[[str], NoReturn]) -> None:
    try:
        pdf_of("<p>x</p>", "a page")
    except MissingExtra as error:
        missing(f"PDF needs weasyprint and Pango: {error}")


def test_a_page_reads_no_file_and_no_address(prints: None, tmp_path: Path) -> None:
    from PIL import Image

    picture = tmp_path / "a.png"
    Image.new("RGB", (40, 40), "red").save(picture)
    bare = pdf_of("<p>x</p>", "a page")
    for address in (picture.as_uri(), "http://127.0.0.1:9/a.png", "ftp://127.0.0.1/a"):
        page = f'<link rel="stylesheet" href="{address}"><p>x</p><img src="{address}">'
        made = pdf_of(page, "a page")
        assert b"/Subtype /Image" not in made
        assert abs(len(made) - len(bare)) < 500


def test_a_process_of_its_own_prints_the_same_pages(prints: None) -> None:
    page = "<p>北方诊所</p><p style='break-before: page'>2</p>"
    apart, here = pdf_apart(page, "a page"), pdf_of(page, "a page")
    assert apart.startswith(b"%PDF-")
    assert apart.count(b"/Type /Page\n") == here.count(b"/Type /Page\n")


def test_a_process_that_prints_nothing_is_told_as_such(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    for script, error, says in (
        ("exit 8", MissingExtra, "a report as PDF"),
        ("echo out of memory >&2; exit 137", PrintingFailed, "a report could not be printed: out of memory"),
        ("exit 0", PrintingFailed, "exit code 0"),
    ):
        fake.write_text(f"#!/bin/sh\ncat > /dev/null\n{script}\n")
        fake.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(fake))
        with pytest.raises(error, match=says):
            pdf_apart("<p>x</p>", "a report")


def test_one_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(fake))
    monkeypatch.setattr(pdf, "_PATIENCE", 0.3)
    with pytest.raises(PrintingFailed, match=r"more than 0\.3 s"):
        pdf_apart("<p>x</p>", "a report")
