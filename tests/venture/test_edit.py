"""A few keys set in a founder's file; every other line stays as it stands."""

from __future__ import annotations

import tomllib

import pytest

from modelmint.venture.edit import with_keys
from modelmint.venture.errors import VentureNotEdited

TEXT = """# my venture
[venture]
name = "chest"   # kept

[model]          # what is trained
base = "cnn"
epochs = 3       # by hand
image_size = 96

[gates]
auroc = ">= 0.9"
"""


def test_keys_are_replaced_added_and_made_comments_and_nothing_else_changes() -> None:
    found = with_keys(TEXT, ("model",), {"base": "mine.onnx", "layout": "nhwc"}, ["epochs", "image_size", "warmup"])
    assert tomllib.loads(found)["model"] == {"base": "mine.onnx", "layout": "nhwc"}
    assert "# epochs = 3       # by hand\n" in found
    untouched = [line for line in TEXT.splitlines() if "=" not in line or line.startswith(("name", "auroc"))]
    assert [line for line in found.splitlines() if line in untouched] == untouched


def test_a_missing_table_is_written_at_the_end_and_a_missing_last_newline_is_no_trouble() -> None:
    found = with_keys('[venture]\nname = "a"', ("models", "small"), {"base": 'odd "name".onnx', "image_size": 8})
    assert tomllib.loads(found) == {
        "venture": {"name": "a"}, "models": {"small": {"base": 'odd "name".onnx', "image_size": 8}},
    }  # fmt: skip


def test_lists_of_labels_are_written_too() -> None:
    found = with_keys('[data]\nsource = "x"\n', ("data",), {"labels": ["好", "坏\\"]})
    assert tomllib.loads(found)["data"]["labels"] == ["好", "坏\\"]


@pytest.mark.parametrize(
    "text",
    [
        'model = { base = "cnn", epochs = 3 }\n',
        '[model]\nbase = "cnn"\naugment = [\n  "shift",\n]\n',
        'model.base = "cnn"\n[venture]\nname = "a"\nnote = """\n[model]\n"""\n',
    ],
)
def test_what_cannot_be_edited_line_by_line_is_refused_with_the_lines_to_write(text: str) -> None:
    tomllib.loads(text)
    with pytest.raises(VentureNotEdited, match=r'base = "mine\.onnx"'):
        with_keys(text, ("model",), {"base": "mine.onnx", "layout": "nhwc"}, ["augment", "epochs"])
