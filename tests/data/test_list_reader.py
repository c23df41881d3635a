"""List files: what a line means, in either order, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelmint.data.errors import OutsideSource, UnreadableSource
from modelmint.data.readers.lists import Lists
from modelmint.data.types import RawData, Source


def read_list(tmp_path: Path, text: str, labels: tuple[str, ...] = ()) -> RawData:
    (tmp_path / "train.txt").write_text(text, encoding="utf-8")
    return Lists().read(Source("train.txt", tmp_path / "train.txt", labels))


@pytest.fixture
def pictures_beside(tmp_path: Path, picture: Callable[..., bytes]) -> Path:
    for name in ("a.png", "my cat.png", "train/b.png", "sub dir/c d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture(len(name)))
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "cat a.png\ndog my cat.png\ndog b.png\ncat sub dir/c d.png\n",
        "a.png cat\nmy cat.png dog\nb.png dog\nsub dir/c d.png cat\n",
        'cat "a.png"\ndog "my cat.png"\n"dog" b.png\ncat \'sub dir/c d.png\'\n',
        '"a.png" cat\n"my cat.png" dog\n"b.png" "dog"\n"sub dir/c d.png" cat\n',
        "cat\ta.png\ndog\tmy cat.png\ndog\tb.png\ncat\tsub dir\\c d.png\n",
        "a.png\tcat\nmy cat.png\tdog\nb.png\tdog\nsub dir/c d.png\tcat\n",
        "\ufeff# label path\r\n\r\n  cat   a.png  \r\ndog my cat.png\r\ndog b.png\r\ncat sub dir/c d.png",
    ],
)
def test_lines_are_understood_in_either_order_with_quotes_tabs_and_spaces(pictures_beside: Path, text: str) -> None:
    data = read_list(pictures_beside, text)
    assert data.labels == ("cat", "dog")
    assert [row.label for row in data.rows] == ["cat", "dog", "dog", "cat"]
    assert [len(row.load()) > 0 for row in data.rows] == [True] * 4
    assert data.findings == ()


def test_declared_labels_may_hold_spaces_and_numbers_are_their_places(pictures_beside: Path) -> None:
    spaced = read_list(pictures_beside, "big cat a.png\ndog b.png\n", ("big cat", "dog"))
    assert [row.label for row in spaced.rows] == ["big cat", "dog"]
    numbered = read_list(pictures_beside, "1 a.png\n0 b.png\n", ("cat", "dog"))
    assert [row.label for row in numbered.rows] == ["dog", "cat"]
    assert numbered.facts["label_numbers"] == "places in data.labels, from 0"
    names = read_list(pictures_beside, "1 a.png\n0 b.png\n", ("0", "1"))
    assert [row.label for row in names.rows] == ["1", "0"]


def test_a_declared_label_that_begins_or_ends_another_does_not_swallow_it(pictures_beside: Path) -> None:
    labels = ("smooth muscle", "smooth muscle cell", "muscle cell")
    first = read_list(pictures_beside, "smooth muscle cell a.png\nsmooth muscle b.png\n", labels)
    assert [(row.label, row.name) for row in first.rows] == [
        ("smooth muscle cell", "a.png"),
        ("smooth muscle", "b.png"),
    ]
    last = read_list(pictures_beside, "a.png smooth muscle cell\nb.png muscle cell\n", labels[::-1])
    assert [(row.label, row.name) for row in last.rows] == [("smooth muscle cell", "a.png"), ("muscle cell", "b.png")]


def test_only_line_ends_end_a_line_of_a_list(pictures_beside: Path, picture: Callable[..., bytes]) -> None:
    for name in ("x\u2028y.png", "x\u0085y.png"):
        (pictures_beside / name).write_bytes(picture(3))
    data = read_list(pictures_beside, "cat\tx\u2028y.png\r\ndog\tx\u0085y.png\n")
    assert [(row.label, row.name) for row in data.rows] == [("cat", "x\u2028y.png"), ("dog", "x\u0085y.png")]
    assert all(row.load() for row in data.rows)


def test_lines_that_say_nothing_and_pictures_that_are_not_there_are_found(pictures_beside: Path) -> None:
    data = read_list(pictures_beside, "cat a.png\nnonsense\ndog gone.png\ncat a.png\n")
    assert [(finding.kind, finding.name) for finding in data.findings] == [("unknown_label", "train.txt, line 2")]
    assert [row.name for row in data.rows] == ["a.png", "gone.png", "a.png (line 4)"]
    with pytest.raises(FileNotFoundError):
        data.rows[1].load()
    assert data.rows[0].load() == data.rows[2].load()


def test_a_path_that_leads_out_of_the_source_is_never_opened(pictures_beside: Path) -> None:
    outside = pictures_beside.parent / "outside.png"
    outside.write_bytes(b"secret")
    data = read_list(pictures_beside, f"cat ../outside.png\ncat {outside}\ncat a.png\n")
    for row in data.rows[:2]:
        with pytest.raises(OutsideSource, match="outside the data source"):
            row.load()


def test_a_list_that_is_not_utf8_or_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes("狗 a.png".encode("gb18030"))
    with pytest.raises(UnreadableSource, match="UTF-8"):
        Lists().read(Source("list.txt", tmp_path / "list.txt"))
    with pytest.raises(UnreadableSource, match="no such line"):
        read_list(tmp_path, "# only a comment\n")
