from __future__ import annotations

import pytest

from modelmint.cli.errors import BadUsage
from modelmint.cli.options import take_globals, wants_json


@pytest.mark.parametrize(
    "argv",
    [
        ["--json", "-C", "shop", "keys", "add", "north"],
        ["keys", "--json", "add", "-C", "shop", "north"],
        ["keys", "add", "north", "--directory", "shop", "--json"],
        ["keys", "add", "--directory=shop", "north", "--json"],
    ],
)
def test_global_options_are_taken_from_anywhere_on_the_line(argv: list[str]) -> None:
    options, rest = take_globals(argv)
    assert (options.folder, options.json, options.quiet) == ("shop", True, False)
    assert rest == ["keys", "add", "north"]


def test_nothing_is_taken_after_a_double_dash() -> None:
    options, rest = take_globals(["customers", "add", "--", "--json"])
    assert not options.json
    assert rest == ["customers", "add", "--", "--json"]
    assert not wants_json(["customers", "add", "--", "--json"])


def test_the_folder_is_the_present_one_when_none_is_named() -> None:
    options, rest = take_globals(["build"])
    assert (options.folder, rest) == (".", ["build"])


def test_a_folder_option_without_a_folder_says_what_belongs_there() -> None:
    with pytest.raises(BadUsage, match=r"-C needs a folder"):
        take_globals(["build", "-C"])
