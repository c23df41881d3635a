"""Options that every verb has, taken before or after it: ``-C``, ``--json``, ``--quiet``, ``--plain``, ``--debug``."""

from __future__ import annotations

from collections.abc import Sequence

from modelmint.cli.errors import BadUsage
from modelmint.cli.types import GlobalOptions

_FLAGS = {"--json": "json", "--quiet": "quiet", "-q": "quiet", "--plain": "plain", "--debug": "debug"}
_FOLDER = ("-C", "--directory")


def take_globals(argv: Sequence[str]) -> tuple[GlobalOptions, list[str]]:
    """Global options found anywhere before a ``--``, and the rest of the command line untouched.

    Raises ``BadUsage`` where ``-C`` comes without a folder. The options found so far travel with the error's
    caller: ``wants_json`` tells how it is to be printed.
    """
    found: dict[str, bool] = {}
    folder = "."
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += ["--", *words]
        elif word in _FLAGS:
            found[_FLAGS[word]] = True
        elif word in _FOLDER:
            given = next(words, None)
            if given is None or given.startswith("-"):
                raise BadUsage(f"{word} needs a folder: the one that holds venture.toml, e.g. {word} my-clinic")
            folder = given
        elif word.startswith("--directory="):
            folder = word.partition("=")[2]
        else:
            rest.append(word)
    return GlobalOptions(folder=folder, **found), rest


def wants_json(argv: Sequence[str]) -> bool:
    """Whether ``--json`` stands in a command line that may be broken otherwise."""
    words = list(argv)
    return "--json" in (words[: words.index("--")] if "--" in words else words)
