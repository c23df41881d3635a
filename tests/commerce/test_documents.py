"""Invoices as text, HTML and PDF, in English and Chinese: every kind of line, nothing unescaped, nothing fetched."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shutil
import string
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import pytest

import modelmint.commerce.billing
import modelmint.commerce.rating
from modelmint.commerce.billing.correction import credit_note
from modelmint.commerce.billing.types import Held, Invoice, Kept
from modelmint.commerce.documents.invoice_html import paper_html
from modelmint.commerce.documents.invoice_json import canonical, from_json, to_json
from modelmint.commerce.documents.invoice_pdf import paper_pdf
from modelmint.commerce.documents.invoice_text import explain, paper_text, render
from modelmint.commerce.documents.lines_zh import KINDS
from modelmint.commerce.documents.sheet import said
from modelmint.commerce.documents.types import Paper, Party
from modelmint.commerce.documents.words import LANGUAGES, WORDS
from modelmint.commerce.errors import UnknownLanguage
from modelmint.commerce.metering.types import Cell, Distinct, Quantities
from modelmint.kit.errors import MissingExtra
from modelmint.kit.money import Money
from modelmint.kit.period import Period
from modelmint.testing.billing import NOVEMBER, Case, a_cell, a_grant, a_plan

CHINESE = re.compile("[一-鿿]")


def made(case: Case, **more: object) -> Invoice:
    found = case.invoice()
    assert found is not None
    return replace(found, customer_name="北方诊所", **more)  # type: ignore[arg-type]  # fields of an invoice


def everything() -> list[Invoice]:
    """Invoices whose lines are of every kind, with every aside."""
    charges = [
        {"meter": "calls", "state": "abstained", "model": "lungs", "price": "0.001 USD"},
        {"meter": "calls", "price": "0.015 USD", "included": 10},
        {"meter": "tokens", "tiers": [{"up_to": 100, "price": "0.0125 USD"}, {"price": "0.01 USD"}]},
        {"meter": "compute_ms", "tiers": [{"up_to": 100, "price": "0.01 USD"}, {"price": "0.02 USD"}]},
        {"meter": "scans", "package": 100, "price": "9.99 USD", "included": 50},
        {"meter": "sales", "percent": "2.5 %", "included": 10},
        {"meter": "patients", "aggregate": "unique", "price": "0.30 USD"},
        {"meter": "seats", "aggregate": "max", "price": "2.10 USD"},
        {"meter": "visits", "aggregate": "count", "price": "0.10 USD"},
    ]
    promise = {"p99_ms": 50, "availability": "99.9 %", "credit": "10 %"}
    plan = a_plan(title="诊所", monthly="49 USD", yearly="365 USD", charges=charges, cap="20 USD", promise=promise)
    cells = (
        a_cell("calls", 7, 8),
        a_cell("calls", 3, model="lungs", state="abstained"),
        a_cell("calls", 2, 1, NOVEMBER.start - timedelta(days=30)),
        a_cell("tokens", 150, 30),
        a_cell("compute_ms", "120.5", "10.25"),
        a_cell("scans", 201, 60),
        a_cell("seats", "12.5"),
        a_cell("visits", 3),
        Cell(NOVEMBER.start, "sales", "", "", "ok", Quantities(1, amount=5), Quantities(2, amount=123_456)),
    )
    middle = NOVEMBER.start + timedelta(days=10)
    full = Case(
        plan,
        cells,
        (Distinct(NOVEMBER.start, "patients", 5, 7),),
        held=(Held(NOVEMBER.start, middle), Held(middle + timedelta(days=3, hours=12), NOVEMBER.end - timedelta(1))),
        grants=(a_grant("gra_1", 500),),
        tax_rate=Decimal("0.19"),
        kept=Kept(1000, 20, Decimal("61.25")),
    )
    part = replace(full, part=Period(middle, NOVEMBER.end))
    least = Case(a_plan(per_call="0.01 USD", minimum="50 USD"), (a_cell("calls", 5),), held=(Held(middle, None),))
    whole = made(full)
    notes = [
        credit_note(whole, (), "counted twice", whole.due, NOVEMBER.end, lines=(1,)),
        credit_note(whole, (), "counted twice", whole.due, NOVEMBER.end, amount=Money(100, "USD")),
    ]
    return [whole, made(part), made(least), *(replace(note, number=9) for note in notes)]


def kinds_in_the_code() -> set[str]:
    """Every ``KIND`` that a module of rating or billing makes lines of."""
    found = set()
    for package in (modelmint.commerce.rating, modelmint.commerce.billing):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            kind = getattr(importlib.import_module(module.name), "KIND", None)
            found |= {kind} if isinstance(kind, str) else set()
    return found


def test_every_kind_of_line_has_chinese_words_and_none_has_words_for_nothing() -> None:
    assert set(KINDS) == kinds_in_the_code()
    assert len(KINDS) >= 9


def test_the_examples_hold_every_kind_of_line() -> None:
    assert {line.kind for invoice in everything() for line in invoice.lines} == set(KINDS)


def test_every_line_is_said_in_both_languages_with_the_same_figures() -> None:
    for invoice in everything():
        for line in invoice.lines:
            english, chinese = (said(line, language) for language in ("en", "zh"))
            assert not CHINESE.search(english[1].replace("诊所", ""))
            assert CHINESE.search(chinese[0])
            assert chinese[1] != english[1]
            assert "None" not in chinese[0] + chinese[1]
            assert "{" not in chinese[0] + chinese[1]
            figures = [set(re.findall(r"\d+(?:\.\d+)?", text)) for text in (english[1], chinese[1])]
            assert figures[0] - {"99"} == figures[1] - {"99"}, (english, chinese)


def test_the_languages_have_the_same_words_with_the_same_gaps() -> None:
    def gaps(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    assert len(LANGUAGES) == 2
    for language in LANGUAGES:
        assert {key: gaps(text) for key, text in WORDS[language].items()} == {
            key: gaps(text) for key, text in WORDS["en"].items()
        }


def test_an_english_invoice_shows_its_arithmetic() -> None:
    invoice = made(Case(a_plan(monthly="49 USD", included_calls=10, overage="0.015 USD"), (a_cell("calls", 7, 6),)))
    lines = render(invoice).splitlines()
    assert lines[0] == "INVOICE 1"
    assert any(line.startswith("    calls 11 and up of 2026-11: 3 x 0.015 USD = 0.045 USD") for line in lines)
    assert lines[-3].split() == ["Total", "49.05", "USD"]
    assert lines[-1] == "not for clinical use"


def test_a_chinese_invoice_lines_up_on_a_terminal() -> None:
    invoice = replace(made(Case(a_plan(per_call="0.02 USD"), (a_cell("calls", 200),))), number=0)
    lines = render(invoice, "zh").splitlines()
    assert lines[0] == "账单草稿（未定稿）"
    assert "    2026-11：200 × 0.02 USD = 4.00 USD" in lines
    wide = [line for line in lines if line.endswith(("USD", "金额")) and not line.startswith("    ")]
    assert {sum(2 if ord(char) > 0x2E80 else 1 for char in line) for line in wide} == {78}


def test_large_figures_are_grouped() -> None:
    text = render(made(Case(a_plan(per_call="0.02 USD"), (a_cell("calls", 12_345_678),))))
    assert "12,345,678" in text
    assert "246,913.56 USD" in text


def test_tax_credit_and_what_is_due_stand_below_the_lines() -> None:
    case = Case(
        a_plan(per_call="1 USD"),
        (a_cell("calls", 100),),
        grants=(a_grant("gra_1", 2000),),
        tax_rate=Decimal("0.19"),
    )
    tail = [line.split("  ") for line in render(made(case)).splitlines()]
    told = [(row[0], row[-1].strip()) for row in tail if row[0] in ("Subtotal", "VAT 19 %", "Total", "Due")]
    assert told == [
        ("Subtotal", "100.00 USD"), ("VAT 19 %", "19.00 USD"), ("Total", "119.00 USD"), ("Due", "99.00 USD"),
    ]  # fmt: skip
    assert "Prepaid credit gra_1" in render(made(case))


def test_seller_buyer_and_status_are_shown_where_they_are_known() -> None:
    paper = Paper(
        everything()[0],
        "paid",
        Party("北方诊所", "1 Long Road\nBeijing", "CN-1", "desk@clinic.example"),
        Party("Modelmint Ltd", "2 Short Road", "DE-2"),
    )
    for language in LANGUAGES:
        text, page = paper_text(paper, language), paper_html(paper, language)
        for wanted in ("1 Long Road", "Beijing", "CN-1", "Modelmint Ltd", "DE-2", WORDS[language]["status_paid"]):
            assert wanted in text
            assert wanted in page


def test_a_credit_note_says_what_it_corrects_and_why() -> None:
    note = everything()[3]
    text = render(note)
    assert text.startswith("CREDIT NOTE 9")
    assert "invoice 1" in text
    assert "counted twice" in text
    assert render(note, "zh").startswith("贷记单 9")


@pytest.mark.parametrize("form", [render, lambda invoice, language: paper_html(Paper(invoice), language)])
def test_another_language_is_refused(form: Callable[[Invoice, str], str]) -> None:
    with pytest.raises(UnknownLanguage):
        form(everything()[0], "xx")


ATTACK = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&{{ 7*7 }}"


def test_nothing_in_a_page_is_read_as_markup() -> None:
    invoice = everything()[0]
    lines = tuple(replace(line, description=ATTACK, explanation=ATTACK) for line in invoice.lines)
    told = replace(invoice, lines=lines, customer_name=ATTACK, notice=ATTACK, reason=ATTACK, tax_name=ATTACK)
    page = paper_html(Paper(told, ATTACK, Party(ATTACK, ATTACK, ATTACK, ATTACK), Party(ATTACK, ATTACK, ATTACK)))
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;") >= 10
    assert "49" not in page.split("{{")[0][-3:]
    assert "{{ 7*7 }}" in page


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = paper_html(Paper(everything()[0]), "zh")
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?://", page)
    assert '<html lang="zh-Hans">' in page


def test_an_invoice_is_the_same_after_it_was_written_and_read() -> None:
    for invoice in everything():
        assert from_json(to_json(invoice)) == invoice
        bare = replace(invoice, customer_name="")
        assert canonical(from_json(to_json(bare))) == canonical(bare) == canonical(invoice)


def test_the_frozen_body_holds_no_name() -> None:
    for invoice in everything():
        assert "北方诊所".encode() not in canonical(invoice)


def test_explain_says_the_arithmetic_of_one_line() -> None:
    line = everything()[0].lines[0]
    assert explain(line) == line.explanation
    assert CHINESE.search(explain(line, "zh"))


def _printed(tmp_path: Path, missing: Callable[[str], NoReturn], language: str) -> Path:
    paper = Paper(everything()[0], "finalised", Party("北方诊所"))
    try:
        pdf = paper_pdf(paper, language)
    except MissingExtra as error:
        missing(f"PDF needs weasyprint and Pango: {error}")
    for tool in ("pdftotext", "pdffonts"):
        if shutil.which(tool) is None:
            missing(f"needs {tool} (poppler-utils)")
    file = tmp_path / "invoice.pdf"
    file.write_bytes(pdf)
    return file


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_pdf_holds_the_words_and_embeds_its_fonts(
    tmp_path: Path, missing: Callable[[str], NoReturn], language: str
) -> None:
    file = _printed(tmp_path, missing, language)
    text = subprocess.run(["pdftotext", "-layout", str(file), "-"], check=True, capture_output=True, text=True).stdout
    assert "北方诊所" in text
    assert WORDS[language]["due"] in text
    assert WORDS[language]["description"] in text
    fonts = subprocess.run(["pdffonts", str(file)], check=True, capture_output=True, text=True).stdout.splitlines()[2:]
    assert fonts
    assert {line.split()[-5] for line in fonts} == {"yes"}, fonts
