"""Whatever stands in a venture file, the loader answers with a venture or with problems that have lines."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from modelmint.solutions.templates import SOLUTIONS, render
from modelmint.venture.errors import InvalidVenture
from modelmint.venture.lines import key_lines
from modelmint.venture.load import load_venture

TEXTS = [render(name, "shop")["venture.toml"] for name in SOLUTIONS]
SNIPPETS = st.sampled_from(
    [
        "[",
        "]",
        "{",
        "}",
        '"',
        "'",
        '"""',
        "=",
        "\n",
        "#",
        ",",
        ".",
        "\\",
        "[[",
        "nan",
        "1e999",
        "-",
        "true",
        "\x00",
        "é",
    ]
)


def answered(content: bytes) -> list[int] | None:
    """Lines of the problems, None for a venture without; anything but ``InvalidVenture`` goes through."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "venture.toml"
        path.write_bytes(content)
        try:
            load_venture(path)
        except InvalidVenture as error:
            return [problem.line for problem in error.found]
    return None


@settings(max_examples=300, deadline=None)
@given(
    text=st.sampled_from(TEXTS),
    edits=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 12), SNIPPETS), min_size=1, max_size=6),
)
def test_random_damage_never_raises_anything_but_invalid_venture(text: str, edits: list[tuple[int, int, str]]) -> None:
    for place, removed, added in edits:
        text = text[:place] + added + text[place + removed :]
    lines = answered(text.encode())
    assert lines is None or (lines and all(1 <= line <= text.count("\n") + 1 for line in lines))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_never_raise_anything_but_invalid_venture(content: bytes) -> None:
    assert answered(content)


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.integers(-5, 5), st.booleans(), st.sampled_from(["a", "1 USD", ">= 1", "5 %"]), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "price", "up_to"]), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    ["venture", "data", "model", "models", "compress", "gates", "demand", "costs", "machine", "plans", "serving",
     "name", "source", "labels", "positive", "augment", "variants", "charges", "tiers", "waive", "plan_mix", "step"]
)  # fmt: skip


def written(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(item) for item in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else repr(value)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYS, st.one_of(VALUES, st.dictionaries(KEYS, VALUES, max_size=4)), max_size=6))
def test_well_formed_nonsense_is_refused_with_lines(document: dict[str, Any]) -> None:
    text = "\n".join(f"{key} = {written(value)}" for key, value in document.items())
    tomllib.loads(text)
    lines = answered(text.encode())
    assert lines is not None
    assert all(1 <= line <= max(1, len(document)) for line in lines)


@given(st.sampled_from(TEXTS))
def test_every_key_of_a_document_has_the_line_it_is_written_on(text: str) -> None:
    rows = text.split("\n")
    places = key_lines(text)

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                assert key in rows[places[(*path, key)] - 1]
                walk(item, (*path, key))
        elif isinstance(value, list):
            for place, item in enumerate(value):
                assert (*path, place) in places
                walk(item, (*path, place))

    walk(tomllib.loads(text), ())
