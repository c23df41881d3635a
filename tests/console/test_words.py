"""Both languages are complete, and nothing is said outside them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from jinja2 import Environment, nodes

import modelmint.console
from modelmint.console import navigation
from modelmint.console.frame import TEMPLATES
from modelmint.console.words import WORDS, Words, choose
from modelmint.kit.errors import CATEGORIES

SOURCE = Path(modelmint.console.__file__).parent
PAGES = sorted(TEMPLATES.glob("*.html"))
#: Attributes that a reader sees or hears.
SPOKEN = ("alt", "aria-label", "placeholder", "title", "data-label", "data-done", "label")


def used_keys() -> set[str]:
    """Keys written out in templates and page functions; those put together at run time are tested by browsing."""
    found: set[str] = set()
    for path in PAGES:
        for call in re.findall(r"\{[{%].*?[%}]\}", path.read_text(), re.DOTALL):
            found |= {
                key
                for key in re.findall(r"[\"']([a-z_]+(?:\.[a-z_]+)+)[\"']", call)
                if not key.endswith((".html", ".png"))
            }
    for path in SOURCE.rglob("*.py"):
        if "words" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if re.fullmatch(r"(nav|said|signin|problem)\.(?!html)[a-z_.]+", text):
                found.add(text)
    return found


def test_both_languages_hold_the_same_keys() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()


def test_no_key_of_a_language_is_written_twice() -> None:
    for language in WORDS:
        files = [path for path in (SOURCE / "words" / language).glob("*.py") if path.name != "__init__.py"]
        keys = [
            key.value
            for path in files
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Dict)
            for key in node.keys
            if isinstance(key, ast.Constant)
        ]
        assert sorted(keys) == sorted(set(keys))


def test_both_languages_fill_in_the_same_values() -> None:
    for key, english in WORDS["en"].items():
        names = {field for _, field, _, _ in Formatter().parse(english) if field}
        assert names == {field for _, field, _, _ in Formatter().parse(WORDS["zh"][key]) if field}, key


def test_every_key_that_a_page_names_has_its_words() -> None:
    assert len(used_keys()) > 100
    assert used_keys() - WORDS["en"].keys() == set()


def test_chinese_words_are_chinese() -> None:
    same = {key for key, english in WORDS["en"].items() if WORDS["zh"][key] == english}
    assert same <= {"start.curl", "start.python", "start.javascript"}


def test_every_category_of_errors_has_words() -> None:
    assert {f"problem.{category.code}" for category in CATEGORIES} <= WORDS["en"].keys()


def test_every_entry_of_the_navigation_has_words() -> None:
    groups = [*navigation.FOUNDER, *navigation.CUSTOMER]
    named = {group.words for group in groups} | {entry.words for group in groups for entry in group.entries}
    assert named | {entry.words for entry in navigation.TABS} <= WORDS["en"].keys()


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_template_holds_no_text_of_its_own(path: Path) -> None:
    tree = Environment(autoescape=True).parse(path.read_text())
    raw = "".join(node.data if isinstance(node, nodes.TemplateData) else "\0" for node in _outputs(tree))
    assert re.findall(r"[^\W\d_]{2,}", re.sub(r"<!doctype html>|<[^>]*>", " ", raw)) == []
    for name, value in re.findall(r'\b([a-z-]+)="([^"]*)"', raw):
        assert name not in SPOKEN or not re.search(r"[^\W\d_]", value), f"{name}={value!r}"


def _outputs(tree: nodes.Template) -> list[nodes.Node]:
    return [part for output in tree.find_all(nodes.Output) for part in output.nodes]


def test_a_missing_word_is_marked_and_stops_no_page() -> None:
    assert Words("en")("no.such.word", number=3) == "⟦no.such.word⟧"


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        ((None, None), "", "en"),
        ((None, None), "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ((None, None), "de-DE,de;q=0.9,en;q=0.5,zh;q=0.7", "zh"),
        ((None, "en"), "zh-CN", "en"),
        (("zh", "en"), "en", "zh"),
        (("<script>", None), "fr;q=x,;;;,zh;q=0", "en"),
    ],
)
def test_the_language_is_the_one_chosen_then_the_browsers(
    wanted: tuple[str | None, ...], accepted: str, language: str
) -> None:
    assert choose(*wanted, accepted=accepted) == language
