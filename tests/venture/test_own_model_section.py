"""``[model]`` of a model made elsewhere: keys that do not fit are named together, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelmint.venture.errors import InvalidVenture
from modelmint.venture.load import load_venture

HEAD = '[venture]\nname = "a"\n[data]\nsource = "pictures"\n[model]\n'


def problems(folder: Path, model: str) -> list[tuple[int, str, str]]:
    (folder / "venture.toml").write_text(HEAD + model)
    with pytest.raises(InvalidVenture) as caught:
        load_venture(folder)
    return [(one.line, one.path, one.message) for one in caught.value.found]


def test_a_path_that_ends_in_onnx_is_a_base_whether_it_lies_there_or_not(tmp_path: Path) -> None:
    for base in ("mine.onnx", "models/Mine.ONNX", "/elsewhere/mine.onnx"):
        (tmp_path / "venture.toml").write_text(f'{HEAD}base = "{base}"\nlayout = "nhwc"\nscale = "raw"\n')
        assert load_venture(tmp_path).file.all_models()["a"].own


def test_keys_about_training_are_all_refused_with_their_lines(tmp_path: Path) -> None:
    found = problems(tmp_path, 'base = "m.onnx"\nepochs = 3\nimage_size = 32\nmethod = "head"\naugment = "none"\n')
    assert [(line, path) for line, path, _ in found] == [
        (7, "model.epochs"),
        (9, "model.method"),
        (10, "model.augment"),
    ]
    assert all("used as it is" in message for _, _, message in found)


def test_keys_of_own_models_are_refused_for_a_model_that_is_trained_here(tmp_path: Path) -> None:
    found = problems(tmp_path, 'base = "cnn"\nlayout = "nhwc"\nscale = "raw"\nlicence = "MIT"\n')
    assert [path for _, path, _ in found] == ["model.layout", "model.scale", "model.licence"]
    assert all("made elsewhere" in message for _, _, message in found)


@pytest.mark.parametrize(
    ("keys", "path", "message"),
    [
        ("mean = [0.5]", "model.mean", "goes with std"),
        ("std = [0.5]", "model.std", "goes with mean"),
        ("mean = [0.5]\nstd = [0.0]", "model.std", "above 0"),
        ("mean = [0.5, 0.5]\nstd = [1.0, 1.0]", "model.mean", "1 number (grey) or 3"),
        ("mean = [0.5]\nstd = [1.0, 1.0, 1.0]", "model.std", "as many numbers as mean"),
        ('mean = [0.5]\nstd = [1.0]\nscale = "raw"', "model.scale", "give one of them"),
        ('layout = "nhw"\nscale = "imagenet"', "model.scale", "grey"),
        ('layout = "hwc"', "model.layout", "nhwc"),
        ('output = "classes"', "model.output", "logits"),
    ],
)
def test_values_that_contradict_each_other_are_named(tmp_path: Path, keys: str, path: str, message: str) -> None:
    found = problems(tmp_path, f'base = "m.onnx"\n{keys}\n')
    assert found[0][1] == path
    assert message in found[0][2]
