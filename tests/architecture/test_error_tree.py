"""Every error is a class with a docstring, a stable code and a place in the two edge tables."""

from __future__ import annotations

import importlib
import pkgutil

import modelmint
from modelmint.api.problems import STATUS
from modelmint.cli.exits import EXIT_CODES
from modelmint.kit.errors import CATEGORIES, ModelmintError, category_of


def leaves() -> list[type[ModelmintError]]:
    for module in pkgutil.walk_packages(modelmint.__path__, "modelmint."):
        if module.name.endswith("errors"):
            importlib.import_module(module.name)
    importlib.import_module("modelmint.kit.money")
    importlib.import_module("modelmint.kit.period")
    importlib.import_module("modelmint.kit.registry")
    found: list[type[ModelmintError]] = []
    waiting = list(ModelmintError.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("modelmint."):
            found.append(kind)
    return found


def test_every_category_has_an_exit_code_and_an_http_status() -> None:
    assert set(EXIT_CODES) == set(CATEGORIES)
    assert set(STATUS) == set(CATEGORIES)
    assert [EXIT_CODES[c] for c in CATEGORIES] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert [STATUS[c] for c in CATEGORIES] == [422, 404, 409, 412, 403, 429, 503, 500]


def test_every_leaf_belongs_to_one_category_and_says_what_it_means() -> None:
    assert len(leaves()) > 30
    for kind in leaves():
        assert category_of(kind) in CATEGORIES, kind
        assert sum(issubclass(kind, c) for c in CATEGORIES) == 1, kind
        assert kind.__doc__, kind
        assert kind.status is None or 400 <= kind.status <= 599, kind


def test_codes_are_stable_names_and_no_two_leaves_share_one() -> None:
    codes: dict[str, type] = {}
    for kind in leaves():
        assert "code" in kind.__dict__, f"{kind.__name__} states no code of its own"
        assert kind.code.replace("_", "").isalnum() and kind.code == kind.code.lower(), kind
        assert codes.setdefault(kind.code, kind) is kind, f"{kind} and {codes[kind.code]} share {kind.code}"
