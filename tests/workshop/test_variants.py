"""Two variants of one model, compressed side by side."""

from __future__ import annotations

from pathlib import Path

from modelmint.data.version import DatasetVersion
from modelmint.kit.progress import Silent
from modelmint.testing.pictures import picture
from modelmint.venture.sections.compress import CompressSection
from modelmint.venture.sections.data import DataSection
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.compression.graphs import CompressInputs
from modelmint.workshop.records import read_candidates, read_rows
from modelmint.workshop.steps import compress, prepare, train


def dataset(root: Path) -> DatasetVersion:
    for place, (label, brightness) in enumerate((("dark", 105), ("bright", 150))):
        (root / "pictures" / label).mkdir(parents=True)
        for row in range(20):
            content = picture(brightness, noise=90, seed=1000 * place + row)
            (root / "pictures" / label / f"{row}.png").write_bytes(content)
    section = DataSection(source="pictures", labels=["dark", "bright"], positive="bright")
    prepare.run(section, root, root / "dataset")
    return DatasetVersion.open(root / "dataset")


def test_float_graphs_belong_to_the_plain_variant_and_not_to_the_limits_of_another(tmp_path: Path) -> None:
    data = dataset(tmp_path)
    section = ModelSection(base="cnn", image_size=8, epochs=1)
    run = train.run(train.TrainInputs(data, section, tmp_path, tmp_path / "scratch"), tmp_path / "run")
    # Limits that no other engine's rounding keeps: they are those of the variant that is compressed.
    strict = CompressSection(recipe=["quantise"], calibration_samples=8, max_probability_difference=1e-15)
    variants = {"small": strict, "plain": CompressSection(recipe=[])}
    into = tmp_path / "compressed"
    into.mkdir()
    compress.run(CompressInputs(run.folder, data, variants, 0.0, 0), into, Silent())
    found = read_candidates(into)
    assert {(one.name, one.variant) for one in found} == {
        ("torch-fp32", "plain"), ("onnx-fp32", "plain"), ("int8-small", "small"),
    }  # fmt: skip
    baselines = [one for one in found if one.name == "onnx-fp32"]
    assert [one.rejected for one in baselines] == [None] * len(baselines)
    assert all(one.parity is not None and one.parity["mean_difference"] < 1e-4 for one in baselines)
    assert all("parity" in str(one.rejected) for one in found if one.variant == "small")
    assert {f"missed/{one.key}" for one in baselines} <= set(read_rows(into))
