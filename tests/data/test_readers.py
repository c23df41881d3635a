"""What each reader understands, and what it refuses in clear words."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from modelmint.data.errors import OutsideSource, SourceNotFound, SourceTooLarge, UnreadableSource
from modelmint.data.pictures import open_picture
from modelmint.data.readers import medmnist
from modelmint.data.readers.folders import Folders
from modelmint.data.readers.lists import Lists
from modelmint.data.readers.npz import Npz
from modelmint.data.readers.sklearn_digits import SklearnDigits
from modelmint.data.types import RawData, Source

GREY = np.random.default_rng(0).integers(0, 256, (6, 5, 4), dtype=np.uint8)
NUMBERS = np.array([[0], [1], [0], [1], [1], [0]])


def read_npz(path: Path, declared: tuple[str, ...] = (), **arrays: np.ndarray) -> RawData:
    np.savez(path, **arrays)
    return Npz().read(Source(path.name, path, declared))


def test_a_medmnist_file_names_its_classes_and_splits(tmp_path: Path) -> None:
    data = read_npz(
        tmp_path / "bloodmnist_64.npz",
        train_images=np.repeat(GREY[..., None], 3, axis=3),
        train_labels=NUMBERS,
        test_images=np.repeat(GREY[..., None], 3, axis=3),
        test_labels=NUMBERS,
    )
    assert len(data.labels) == 8
    assert [(row.name, row.label, row.split) for row in data.rows[5:7]] == [
        ("train_images[5]", "basophil", "train"),
        ("test_images[0]", "basophil", "test"),
    ]
    picture = open_picture(data.rows[1].load(), 100)
    assert picture.mode == "RGB"
    assert np.array_equal(np.asarray(picture)[..., 0], GREY[1])
    assert data.facts == {"format": "npz", "family": "MedMNIST v2 bloodmnist", "licence": "CC BY 4.0"}


@pytest.mark.parametrize(
    ("name", "count"),
    [("pathmnist", 9), ("dermamnist", 7), ("octmnist", 4), ("pneumoniamnist", 2), ("retinamnist", 5),
     ("breastmnist", 2), ("bloodmnist", 8), ("tissuemnist", 8), ("organamnist", 11),
     ("organcmnist", 11), ("organsmnist", 11)],
)  # fmt: skip
def test_every_two_dimensional_medmnist_set_has_its_classes(name: str, count: int) -> None:
    for stem in (name, f"{name}_28", f"{name}_224", name.upper()):
        assert medmnist.family(stem) == name
    assert len(set(medmnist.LABELS[name])) == count
    assert medmnist.family(f"my{name}") is None


def test_several_labels_a_picture_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="chestmnist has several labels a picture"):
        read_npz(tmp_path / "chestmnist.npz", train_images=GREY, train_labels=np.zeros((6, 14), int))
    with pytest.raises(UnreadableSource, match="train_labels has 14 labels a picture"):
        read_npz(tmp_path / "mine.npz", train_images=GREY, train_labels=np.zeros((6, 14), int))


def test_declared_labels_name_the_numbers_of_a_stranger_and_reorder_those_of_the_family(tmp_path: Path) -> None:
    arrays = {"train_images": GREY, "train_labels": NUMBERS[:, 0]}
    stranger = read_npz(tmp_path / "mine.npz", ("ok", "defect"), **arrays)
    assert [row.label for row in stranger.rows[:2]] == ["ok", "defect"]
    family = read_npz(tmp_path / "pneumoniamnist.npz", ("pneumonia", "normal"), **arrays)
    assert [row.label for row in family.rows[:2]] == ["normal", "pneumonia"]
    renamed = read_npz(tmp_path / "pneumoniamnist.npz", ("healthy", "ill"), **arrays)
    assert [row.label for row in renamed.rows[:2]] == ["healthy", "ill"]
    nameless = read_npz(tmp_path / "mine.npz", **arrays)
    assert nameless.labels == ("0", "1")
    short = read_npz(tmp_path / "mine.npz", ("a", "b"), train_images=GREY, train_labels=np.arange(6))
    assert [row.label for row in short.rows] == ["a", "b", "2", "3", "4", "5"]


def test_other_spellings_of_array_names_are_understood(tmp_path: Path) -> None:
    keras = read_npz(
        tmp_path / "mnist.npz", x_train=GREY, y_train=NUMBERS[:, 0], x_test=GREY[:2], y_test=NUMBERS[:2, 0]
    )
    assert [row.split for row in keras.rows] == ["train"] * 6 + ["test"] * 2
    plain = read_npz(tmp_path / "plain.npz", images=GREY, labels=NUMBERS)
    assert {row.split for row in plain.rows} == {None}


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"pictures": GREY}, "found pictures"),
        ({"train_images": GREY.astype(np.float32), "train_labels": NUMBERS}, r"found float32\[6, 5, 4\]"),
        ({"train_images": GREY[..., None], "train_labels": NUMBERS}, r"found uint8\[6, 5, 4, 1\]"),
        ({"train_images": GREY, "train_labels": NUMBERS[:5]}, "6 whole numbers"),
        ({"train_images": GREY, "train_labels": NUMBERS / 2}, "found float64"),
        ({"train_images": GREY, "train_labels": NUMBERS - 1}, "-1 to 0"),
        ({"train_images": GREY, "train_labels": NUMBERS * 10**9}, "0 to 1000000000"),
        ({"train_images": GREY, "train_labels": np.array([object()] * 6)}, "never loaded"),
    ],
)
def test_arrays_of_another_kind_are_refused(tmp_path: Path, arrays: dict[str, np.ndarray], words: str) -> None:
    with pytest.raises(UnreadableSource, match=words):
        read_npz(tmp_path / "mine.npz", **arrays)


def test_a_zip_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    header = io.BytesIO()
    npy.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 10**4, 10**4)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("train_images.npy", header.getvalue())
        archive.writestr("train_labels.npy", header.getvalue())
    with pytest.raises(SourceTooLarge, match=r"declares 93132\.3 GiB"):
        Npz().read(Source("bomb.npz", tmp_path / "bomb.npz"))


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 not really"])
def test_a_damaged_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(UnreadableSource, match=r"expected an .npz file"):
        Npz().read(Source("bad.npz", tmp_path / "bad.npz"))


def test_an_npz_with_a_wrong_checksum_inside_is_refused(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 100, 100), dtype=np.uint8)
    np.savez(tmp_path / "bad.npz", train_images=pixels, train_labels=NUMBERS)
    content = bytearray((tmp_path / "bad.npz").read_bytes())
    content[content.index(pixels.tobytes()[-8:])] ^= 0xFF
    (tmp_path / "bad.npz").write_bytes(content)
    data = Npz().read(Source("bad.npz", tmp_path / "bad.npz"))
    with pytest.raises(UnreadableSource, match=r"train_images of .* is damaged"):
        data.rows[0].load()


def test_pictures_at_any_depth_belong_to_the_class_folder_above(tmp_path: Path, picture: Callable[..., bytes]) -> None:
    for name in ("cat/p1/a.png", "cat/b.png", "dog/p2/x/c.png", "10/d.png", "9/e.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture(1))
    data = Folders().read(Source(".", tmp_path))
    assert data.labels == ("9", "10", "cat", "dog")
    assert {(row.name, row.label) for row in data.rows} >= {("cat/p1/a.png", "cat"), ("dog/p2/x/c.png", "dog")}


def test_split_folders_go_by_their_usual_names_and_others_are_named(
    tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    for name in ("Train/cat/a.png", "validation/cat/b.png", "TEST/cat/c.png", "extra/cat/d.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture(1))
    data = Folders().read(Source(".", tmp_path))
    assert sorted((row.name, row.split) for row in data.rows) == [
        ("TEST/cat/c.png", "test"),
        ("Train/cat/a.png", "train"),
        ("validation/cat/b.png", "val"),
    ]
    assert [(finding.kind, finding.name) for finding in data.findings] == [("not_used", "extra")]


def test_a_class_called_test_is_a_class_where_there_is_no_train(tmp_path: Path, picture: Callable[..., bytes]) -> None:
    for name in ("test/a.png", "control/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture(1))
    assert Folders().read(Source(".", tmp_path)).labels == ("control", "test")


def test_a_folder_without_class_folders_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="found no class folder"):
        Folders().read(Source(".", tmp_path))


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


def test_only_digits_come_from_scikit_learn() -> None:
    with pytest.raises(SourceNotFound, match="sklearn:iris"):
        SklearnDigits().read(Source("sklearn:iris", Path("sklearn:iris")))
