"""Codes of the books in words: every action that the code writes to the audit log, and every meter that calls feed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import modelmint
from modelmint.commerce.catalog import plans_from
from modelmint.commerce.metering.types import CALL_METERS
from modelmint.commerce.plan_terms import terms_of
from modelmint.console.words import WORDS
from modelmint.testing.pictures import picture
from modelmint.venture.sections.plans import PlanSection

ROOT = Path(modelmint.__file__).parent
#: The one function that writes the log, and the method of ``People`` that lets others write.
WRITER = "modelmint.store.history"
#: Functions whose parameter is the action: what they are called with is looked at instead.
PASSED_ON = {"store/persons.py": "note", "console/pages/signing.py": "_note"}


@cache
def written() -> dict[str, str]:
    """Action -> where it is written, read from the source; fails where an action cannot be read there."""
    found: dict[str, str] = {}
    for path in sorted(ROOT.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "note" not in text:
            continue
        place, tree = str(path.relative_to(ROOT)), ast.parse(text)
        writers = names_of_writer(tree)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            action = action_of(call, writers, place)
            if action is not None:
                found |= dict.fromkeys(texts(action, tree, place), f"{place}:{call.lineno}")
    return found


def action_of(call: ast.Call, writers: set[str], place: str) -> ast.expr | None:
    """The argument of ``call`` that is an action; None where it writes no log."""
    callee = ast.unparse(call.func)
    if callee == PASSED_ON.get(place):  # _note(asked, action, ...)
        return call.args[1]
    if callee.endswith("people.note"):  # people.note(action, ...)
        return call.args[0]
    return call.args[1] if callee in writers else None  # note(connection, action, ...)


def names_of_writer(tree: ast.Module) -> set[str]:
    """What a module calls ``history.note``."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == WRITER:
            names |= {one.asname or one.name for one in node.names if one.name == "note"}
        if isinstance(node, ast.ImportFrom) and f"{node.module}." == WRITER.removesuffix("history"):
            names |= {f"{one.asname or one.name}.note" for one in node.names if one.name == "history"}
    return names


def texts(action: ast.expr, tree: ast.Module, place: str) -> Iterator[str]:
    """Every text that ``action`` can be: written out, one of two, or from a table or a constant of its module."""
    match action:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from texts(one, tree, place)
            yield from texts(other, tree, place)
        case ast.Dict(values=values):
            for value in values:
                yield from texts(value, tree, place)
        case ast.Subscript(value=ast.Name() as table):
            yield from texts(table, tree, place)
        case ast.Name(id="action") if place in PASSED_ON:
            return
        case ast.Name(id=name) if name in constants(tree):
            yield from texts(constants(tree)[name], tree, place)
        case _:
            pytest.fail(f"{place}:{action.lineno}: cannot tell which actions {ast.unparse(action)!r} may be")


def constants(tree: ast.Module) -> dict[str, ast.expr]:
    return {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def test_every_action_that_the_code_writes_has_words_in_both_languages() -> None:
    actions = written()
    assert len(actions) > 40
    for language, words in WORDS.items():
        missing = {action: place for action, place in actions.items() if f"action.{action}" not in words}
        assert missing == {}, language


def test_no_words_are_kept_for_an_action_that_nothing_writes() -> None:
    known = {key.removeprefix("action.") for key in WORDS["en"] if key.startswith("action.")}
    assert known - written().keys() == set()


def test_the_log_is_written_in_one_place_only() -> None:
    writers = [p for p in ROOT.rglob("*.py") if re.search(r"\baudit\.insert\(|insert\(audit\)", p.read_text())]
    assert [str(path.relative_to(ROOT)) for path in writers] == ["store/history.py"]


def test_what_the_books_hold_after_a_shop_was_furnished_is_among_them(desk: Any) -> None:
    held = {entry.action for entry in desk.shop.books.people.audit(limit=1000)}
    assert held and held <= written().keys()


@pytest.mark.parametrize("language", WORDS)
def test_every_meter_that_calls_feed_has_words(language: str) -> None:
    assert {f"meter.{meter}" for meter in CALL_METERS} <= WORDS[language].keys()
    for meter in CALL_METERS:
        plan = plans_from({"p": PlanSection.model_validate({"charges": [{"meter": meter, "price": "2 USD"}]})})[0]
        terms = terms_of(plan, language)
        assert "_" not in terms and (language == "en" or not re.search(r"[a-z]", terms.replace("USD", ""))), terms


def test_the_log_is_shown_in_words_and_an_unknown_code_as_itself(desk: Any, founder: Any) -> None:
    desk.shop.books.people.note("house.painted", "house", {})
    for language, added, page in (("en", "Key added", "/console/audit"), ("zh", "新增密钥", "/console/overview")):
        shown = founder.get(f"{page}?lang={language}").text
        assert f'<span title="key.added">{added}</span>' in shown
        assert '<span title="house.painted">house.painted</span>' in shown


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Calls", "Explanations", "Compute time (ms)")), ("zh", ("调用次数", "解释次数", "计算时间（毫秒）"))],
)
def test_usage_names_its_meters_in_words(desk: Any, customer: Any, language: str, words: tuple[str, ...]) -> None:
    form = dict(re.findall(r'name="(token|once)" value="(\w+)"', customer.get("/console/my/try").text))
    form |= {"model": desk.furnished.model, "explain": "yes"}
    files = {"picture": ("a.png", picture(250), "image/png")}
    assert customer.client.post("/console/my/try", data=form, files=files).status_code == 200
    page = customer.get(f"/console/my/usage?lang={language}").text
    for word in words:
        assert re.search(rf">\s*{re.escape(word)}\s*<", page), word
    assert "compute_ms" not in page and ">explanations<" not in page
