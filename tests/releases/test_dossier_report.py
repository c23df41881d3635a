"""The report: complete in both languages, exact, self-contained, safe, on paper too."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import pytest

from modelmint.evaluation.errors import UnknownReportLanguage
from modelmint.kit.errors import MissingExtra
from modelmint.kit.pdf import pdf_of
from modelmint.operations.report import dossier_of, printed
from modelmint.releases.bundle import Release
from modelmint.releases.dossier.markdown import card_markdown
from modelmint.releases.dossier.page import report_html
from modelmint.releases.dossier.types import Dossier, Stated
from modelmint.testing.dossiers import keep_cases, told_release
from modelmint.testing.releases import brightness_release
from modelmint.testing.ventures import venture_text

NOW = datetime(2026, 5, 2, 8, 30, tzinfo=UTC)
HOSTILE = '<script>alert("1")</script> & [x](javascript:alert(2)) | `y`'
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """What a browser would find: tags that close in order, attributes, words, and values in ``data``."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.values: list[tuple[float, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "data":
            self.values.append((float(dict(attrs)["value"] or ""), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "data":
            self.values[-1] = (self.values[-1][0], data)
        if "style" not in self.open and "code" not in self.open and data.strip():
            self.words.append(data.strip())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    workspace = tmp_path_factory.mktemp("told") / ".modelmint"
    release = told_release(workspace)
    keep_cases(workspace, release)
    return dossier_of(release, workspace)


def numbers(value: Any) -> set[float]:
    """Every number below ``value``."""
    if isinstance(value, bool) or value is None:
        return set()
    if isinstance(value, (int, float)):
        return {float(value)}
    if isinstance(value, str):
        return {float(value)} if re.fullmatch(r"-?\d+(\.\d+)?", value) else set()
    items = value.values() if hasattr(value, "values") else value
    return {number for item in items for number in numbers(item)}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_well_formed_and_asks_nobody_for_anything(told: Dossier, language: str) -> None:
    text = report_html(told, language, NOW)
    page = Page(text)
    assert "script" not in page.tags
    assert not {name for _, name, _ in page.attributes} & {"style", "onclick", "onload", "srcset", "action"}
    leads = {value for _, name, value in page.attributes if name in ("href", "src")}
    assert all(value.startswith(("#", "data:image/png;base64,")) for value in leads)
    assert set(re.findall(r"https?://[^\"' <]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in text and "@import" not in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_anchor_of_the_contents_exists_once(told: Dossier, language: str) -> None:
    page = Page(report_html(told, language, NOW))
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids)) == 9
    assert [value[1:] for tag, name, value in page.attributes if (tag, name) == ("a", "href")] == ids


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_number_shown_is_one_that_was_stated_and_is_rounded_right(
    told: Dossier, language: str, tmp_path: Path
) -> None:
    release = told_release(tmp_path / ".modelmint")
    stated: set[float] = numbers([statement.body for statement in release.statements()])
    stated |= numbers(release.json("evaluation.json")) | numbers(release.json("dataset.json"))
    page = Page(report_html(told, language, NOW))
    assert len(page.values) > 150
    for exact, written in page.values:
        assert exact in stated, written
        shown = written.replace(",", "").replace("−", "-").split()[0]
        scale = 100 if written.endswith("%") else 1
        step = 10.0 ** -len(shown.partition(".")[2])
        assert abs(float(shown) - exact * scale) <= step / 2 * 1.0001, (exact, written)
    shown_values = {exact for exact, _ in page.values}
    assert {911.5, 0.799344262, 243.8, 212.3, 7.125, 0.2225, 0.0152207, 1.2034} <= shown_values
    metrics = release.json("evaluation.json")["models"]["brightness"]["metrics"]
    assert numbers([[one["value"], one["low"], one["high"]] for one in metrics.values()]) <= shown_values


def test_the_chinese_report_says_nothing_in_english_but_names(told: Dossier) -> None:
    page = Page(report_html(told, "zh", NOW))
    text = "\n".join(page.words)
    english = set(re.findall(r"[A-Za-z][a-z]+(?:[ ,]+[A-Za-z]+){2,}", text))
    names = {
        "Model Cards for Model Reporting",
        "tells dark pictures from bright ones",
        "for tests only",
        "the pilot allows it",
    }
    assert {part for part in english if not any(part in name for name in names)} == set()
    assert "门槛" in text and "豁免：the pilot allows it" in text
    assert "最忙一小时的调用是平均的 4 倍" in text
    assert "int8@onnxruntime 入选：达标的候选中它的月价值最优，比 onnx-fp32@onnxruntime 多 56.55 USD。" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_languages_show_the_same_sections_tables_and_numbers(told: Dossier, language: str) -> None:
    mine, english = Page(report_html(told, language, NOW)), Page(report_html(told, "en", NOW))
    assert mine.tags == english.tags
    assert mine.values == english.values


@pytest.mark.parametrize("language", ["en", "zh"])
def test_plots_are_sound_pictures_with_words_for_who_cannot_see_them(told: Dossier, language: str) -> None:
    plots = re.findall(r"<svg.*?</svg>", report_html(told, language, NOW), re.DOTALL)
    assert len(plots) == 4 + 2 + 3
    for plot in plots:
        root = ElementTree.fromstring(plot)
        assert root.get("role") == "img" and root.get("lang") == language and root.get("aria-label")
        desc = root.find("{http://www.w3.org/2000/svg}desc")
        assert desc is not None and len(desc.text or "") > 10


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_is_missing_is_said_with_what_fills_it(tmp_path: Path, language: str) -> None:
    found = dossier_of(brightness_release(tmp_path / "releases"), tmp_path)
    page = Page(report_html(found, language, NOW))
    gap = {"en": "Missing", "zh": "缺失"}[language]
    assert page.words.count(gap) >= 10
    assert sum("modelmint build" in word for word in page.words) >= 6
    assert "None" not in page.words


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_hostile_founder_stays_text(tmp_path: Path, language: str) -> None:
    quoted = HOSTILE.replace("\\", "\\\\").replace('"', '\\"')
    venture = venture_text() + f'[card]\nusers = "{quoted}"\nlimits = ["{quoted}"]\ncontact = "{quoted}"\n'
    bodies = {
        "gates": {"gates": [{"name": HOSTILE, "wanted": ">= 1", "found": 0.5, "passed": False, "waived": HOSTILE}]}
    }
    release = told_release(tmp_path / ".modelmint", venture=venture, bodies=bodies)
    found = dossier_of(release, tmp_path / ".modelmint")
    text = report_html(found, language, NOW)
    page = Page(text)
    assert "script" not in page.tags and "<script" not in text
    assert sum(HOSTILE in word for word in page.words) >= 4
    card = card_markdown(found, language)
    assert "<script" not in card.replace("\\<", "") and "[x](" not in card.replace("\\[x\\](", "")


def test_pictures_of_cases_are_left_out_where_that_is_wanted(told: Dossier) -> None:
    assert report_html(told, "en", NOW).count("data:image/png") == 6
    without = report_html(told, "en", NOW, with_pictures=False)
    assert "data:image/png" not in without
    assert "without the pictures" in without


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_card_has_a_yaml_head_and_every_section_of_a_model_card(told: Dossier, language: str) -> None:
    card = card_markdown(told, language)
    head = card.split("---\n")[1]
    assert 'license: "apache-2.0"\npipeline_tag: "image-classification"\n' in head
    accuracy = told.models[0].card.metrics["accuracy"]  # type: ignore[union-attr]  # it has a scorecard
    assert f'{{"type": "accuracy", "value": {accuracy.value}}}' in head
    titles = {
        "en": ("Intended use", "Who and what it was tested on", "Limits", "Out of scope", "How well it does", "Gates"),
        "zh": ("预期用途", "测试对象", "局限", "不适用的场合", "准确程度", "发布门槛"),
    }[language]
    assert [title for title in titles if f"\n## {title}\n" not in card] == []
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert all(row.count("|") - row.count("\\|") in (4, 5, 3) for row in rows)


def test_several_models_have_sections_of_their_own(told: Dossier) -> None:
    second = dataclasses.replace(told.models[0], name="second")
    page = Page(report_html(dataclasses.replace(told, models=(told.models[0], second)), "en", NOW))
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids)) == 3 + 2 * 6
    assert {"Candidates: brightness", "Candidates: second"} <= set(page.words)
    card = card_markdown(dataclasses.replace(told, models=(told.models[0], second)), "en")
    assert card.count("\n- name: ") == card.count("\n## Limits\n") == 2


def test_an_unknown_language_is_refused(told: Dossier) -> None:
    for make in (lambda: report_html(told, "de", NOW), lambda: card_markdown(told, "de")):
        with pytest.raises(UnknownReportLanguage, match="en, zh"):
            make()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pdf_holds_the_words_of_the_page_and_embeds_its_fonts(
    told: Dossier, language: str, tmp_path: Path, missing: Callable[[str], NoReturn]
) -> None:
    try:
        content = printed(told, language, NOW, "pdf")
    except MissingExtra as error:
        missing(f"PDF needs weasyprint and Pango: {error}")
    for tool in ("pdftotext", "pdffonts", "pdfimages"):
        if shutil.which(tool) is None:
            missing(f"needs {tool} (poppler-utils)")
    file = tmp_path / "report.pdf"
    file.write_bytes(content)
    text = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout
    assert {"en": "Release report: brightness", "zh": "发布报告：brightness"}[language] in text
    assert 3 <= text.count("\f") <= 12
    for words in ("911.5", "243.80", "212.30", "0.3275", "int8@onnxruntime"):
        assert words in text
    fonts = subprocess.run(["pdffonts", file], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    assert fonts and all(line.split()[-5] == "yes" for line in fonts)
    images = subprocess.run(["pdfimages", "-list", file], capture_output=True, text=True, check=True).stdout
    assert images.count(" image ") >= 3


@pytest.mark.parametrize("above", range(20, 261, 40))
def test_wherever_a_page_ends_every_figure_of_the_cost_stands_on_paper(
    told: Dossier, above: int, tmp_path: Path, missing: Callable[[str], NoReturn]
) -> None:
    if shutil.which("pdftotext") is None:
        missing("needs pdftotext (poppler-utils)")
    whole = report_html(told, "zh", NOW)
    head, cost = whole[: whole.index("<section")], re.search(r'<section[^>]* id="cost".*?</section>', whole, re.DOTALL)
    assert cost
    page = f'{head}<div style="height:{above}mm"></div>{cost[0]}</main></body></html>'
    file = tmp_path / "cost.pdf"
    try:
        file.write_bytes(pdf_of(page, "a report"))
    except MissingExtra as error:
        missing(f"PDF needs weasyprint and Pango: {error}")
    text = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout
    cells = re.findall(r"<td[^>]*>(.*?)(?:<small.*?)?</td>", cost[0], re.DOTALL)  # what is set small lies elsewhere
    words = [re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", cell)) for cell in cells]
    assert len(words) > 30
    assert [one for one in words if one not in re.sub(r"\s+", "", text)] == []


def test_a_release_says_where_its_masking_was_measured(told: Dossier) -> None:
    explained = told.models[0].explained
    assert isinstance(explained, Stated)
    text = report_html(told, "en", NOW)
    assert "Measured on the validation split, n = 120." in text
    assert "so the maps point at what matters" in text.replace("\n", " ")


def test_a_damaged_release_is_told_first_and_in_full(tmp_path: Path) -> None:
    release = told_release(tmp_path / ".modelmint")
    (release.path / "venture.toml").write_text("changed")
    page = Page(report_html(dossier_of(Release.open(release.path), tmp_path / ".modelmint"), "en", NOW))
    assert "files that are not what they were: 1" in page.words
    assert any("Do not sell this release" in word for word in page.words)
