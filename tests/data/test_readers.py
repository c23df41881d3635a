"""What each reader understands, and what it refuses in clear words."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib import format as npy

from modelmint.data.errors import SourceNotFound, SourceTooLarge, UnreadableSource
from modelmint.data.pictures import open_picture
from modelmint.data.readers import medmnist
from modelmint.data.readers.folders import Folders
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
    capitals = read_npz(tmp_path / "pneumoniamnist.npz", ("Pneumonia", "Normal"), **arrays)
    assert [row.label for row in capitals.rows[:2]] == ["Normal", "Pneumonia"]
    short = read_npz(tmp_path / "mine.npz", ("a", "b"), train_images=GREY, train_labels=np.arange(6))
    assert [row.label for row in short.rows] == ["a", "b", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (("pneumonia", "normall"), "'normall'; the labels of pneumoniamnist are 'normal', 'pneumonia'; did you mean "),
        (("normal", "pneumnia"), "'pneumnia'.*did you mean 'pneumonia'"),
    ],
)
def test_a_slip_in_one_of_the_family_s_names_never_turns_the_others_around(
    tmp_path: Path, declared: tuple[str, ...], words: str
) -> None:
    with pytest.raises(UnreadableSource, match=words):
        read_npz(tmp_path / "pneumoniamnist.npz", declared, train_images=GREY, train_labels=NUMBERS)


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


def test_a_link_in_the_place_of_a_split_is_found_and_the_real_split_folders_stay(
    tmp_path: Path, picture: Callable[..., bytes]
) -> None:
    for name in (
        "in/train/cat/a.png",
        "in/train/dog/b.png",
        "in/test/cat/c.png",
        "in/test/dog/d.png",
        "away/cat/e.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture(1))
    for target in (tmp_path / "away", tmp_path / "in/test", tmp_path / "nowhere"):
        (tmp_path / "in/val").unlink(missing_ok=True)
        (tmp_path / "in/val").symlink_to(target)
        data = Folders().read(Source(".", tmp_path / "in"))
        assert data.labels == ("cat", "dog")
        assert sorted((row.label, row.split) for row in data.rows) == [
            ("cat", "test"), ("cat", "train"), ("dog", "test"), ("dog", "train"),
        ]  # fmt: skip
        ((kind, name, message),) = [(f.kind, f.name, f.message) for f in data.findings]
        assert (kind, name) == ("outside_source", "val")
        assert message == f"is a link to {target}; links to folders are not followed, move the folder here"


def test_split_folders_that_are_all_links_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/train").symlink_to(tmp_path)
    with pytest.raises(UnreadableSource, match="found no class folder") as caught:
        Folders().read(Source(".", tmp_path / "in"))
    assert [problem.split(": ")[0] for problem in caught.value.problems] == ["train"]


def test_a_class_called_test_is_a_class_where_there_is_no_train(tmp_path: Path, picture: Callable[..., bytes]) -> None:
    for name in ("test/a.png", "control/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture(1))
    assert Folders().read(Source(".", tmp_path)).labels == ("control", "test")


def test_a_folder_without_class_folders_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match="found no class folder"):
        Folders().read(Source(".", tmp_path))


def test_only_digits_come_from_scikit_learn() -> None:
    with pytest.raises(SourceNotFound, match="sklearn:iris"):
        SklearnDigits().read(Source("sklearn:iris", Path("sklearn:iris")))
