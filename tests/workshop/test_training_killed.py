"""A training that is killed with -9, again and again, ends with the weights of one that was not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelmint.data.freeze import freeze
from modelmint.kit.progress import Silent
from modelmint.venture.sections.data import DataSection

#: Trains in a process of its own and kills itself at a stated place: before the n-th optimiser step, at the n-th
#: sync inside a checkpoint's writing (half written), or between that sync and the rename.
PROGRAM = """
import json, os, pathlib, signal, sys
from modelmint.data.version import DatasetVersion
from modelmint.venture.sections.model import ModelSection
from modelmint.workshop.steps import train
from modelmint.workshop.training import fit

dataset, scratch, into, section, where, count = sys.argv[1:]
left = int(count)

def dying(real):
    def call(*given, **named):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **named)
    return call

if where == "step":
    fit.Fitter.one_step = dying(fit.Fitter.one_step)
    fit.CHECKPOINT_SECONDS = 0.0
if where == "sync":
    os.fsync = dying(os.fsync)
if where == "rename":
    pathlib.Path.replace = dying(pathlib.Path.replace)
inputs = train.TrainInputs(
    DatasetVersion.open(pathlib.Path(dataset)), ModelSection(**json.loads(section)), pathlib.Path("."),
    pathlib.Path(scratch), threads=2,
)
run = train.run(inputs, pathlib.Path(into))
print(json.dumps({"digest": run.digest, "weights": run.weights_digest, "epochs": len(run.history)}))
"""

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL"),
    pytest.mark.timeout(900),  # eight processes that import torch; minutes on a busy machine
]


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sklearn")
    folder = tmp_path_factory.mktemp("data") / "digits"
    freeze(DataSection(source="sklearn:digits"), Path(), folder, Silent())
    return folder


def train(dataset: Path, room: Path, section: dict[str, object], where: str = "", count: int = 0) -> tuple[int, str]:
    room.mkdir(exist_ok=True)
    environment = {**os.environ, "MODELMINT_CACHE": str(room.parent / "cache"), "MODELMINT_DEVICE": "cpu"}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            dataset,
            room / "scratch",
            room / "out",
            json.dumps(section),
            where,
            str(count),
        ],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode in (0, -9), done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("section", "kills"),
    [
        (
            {"base": "cnn", "image_size": 10, "epochs": 3, "hidden": 16},
            [("step", 24), ("sync", 3), ("rename", 2)],
        ),
        (
            {"base": "cnn", "image_size": 10, "method": "head", "epochs": 6, "optimizer": "sgd", "patience": 4},
            [("sync", 1), ("step", 30)],
        ),
    ],
    ids=["full", "head"],
)
def test_killed_and_started_again_it_ends_with_the_digest_of_an_uninterrupted_run(
    digits: Path, tmp_path: Path, section: dict[str, object], kills: list[tuple[str, int]]
) -> None:
    code, whole = train(digits, tmp_path / "whole", section)
    assert code == 0
    for where, count in kills:
        assert train(digits, tmp_path / "killed", section, where, count)[0] == -9
        assert not (tmp_path / "killed" / "out" / "run.json").exists()
    code, resumed = train(digits, tmp_path / "killed", section)
    assert code == 0
    assert json.loads(resumed) == json.loads(whole)
    assert (tmp_path / "killed/out/run.json").read_bytes() == (tmp_path / "whole/out/run.json").read_bytes()
