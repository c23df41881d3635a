"""The door itself, through the real process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import modelmint as package


def test_the_version_is_told_at_once(modelmint) -> None:
    took = []
    for _ in range(3):
        began = time.perf_counter()
        ran = modelmint("--version")
        took.append(time.perf_counter() - began)
    assert (ran.code, ran.out) == (0, f"modelmint {package.__version__}\n")
    assert min(took) < 0.3


def test_the_version_as_json_is_one_object(modelmint) -> None:
    assert modelmint("--json", "--version").json == {"version": package.__version__}


def test_importing_every_verb_loads_neither_torch_nor_the_engines() -> None:
    probe = (
        "import sys; import modelmint.cli.app; modelmint.cli.app.command();"
        "heavy = {'torch', 'onnxruntime', 'openvino', 'sqlalchemy', 'starlette', 'numpy', 'PIL'} & set(sys.modules);"
        "sys.exit(str(sorted(heavy)) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["biuld"], 2, "Did you mean 'build'?"),
        (["keys", "revoke"], 2, "Missing argument"),
        (["keys"], 2, "modelmint keys --help"),
        (["build", "-C"], 2, "-C needs a folder"),
        (["build", "--waive", "auroc"], 2, "auroc"),
        (["predict", "x", "--out", "x.parquet"], 2, ".csv"),
        (["customers", "list"], 3, "modelmint new NAME"),
        (["releases", "show"], 3, "build"),
        (["releases", "verify", "abc"], 3, "no release starts with"),
        (["demo", "x-rays"], 2, "digits"),
    ],
)
def test_a_failing_line_says_what_to_do_and_leaves_with_its_category(modelmint, words, code, told) -> None:
    for_people = modelmint(*words)
    assert for_people.code == code
    assert for_people.out == ""
    assert told in for_people.err
    assert "Traceback" not in for_people.err
    error = modelmint(*words, "--json").json["error"]
    assert set(error) >= {"code", "message", "problems", "details"}
    assert told in error["message"] + " ".join(error["problems"])


def test_looking_into_a_wrong_folder_leaves_nothing_there(modelmint, tmp_path: Path) -> None:
    assert modelmint("customers", "list").code == 3
    assert list(tmp_path.iterdir()) == []


def test_help_is_one_object_too_when_json_is_asked(modelmint) -> None:
    assert "venture.toml" in modelmint("--json", "build", "--help").json["help"] + modelmint("--json").json["help"]


def test_output_that_is_piped_has_neither_colour_nor_control_characters(modelmint) -> None:
    ran = modelmint("doctor", env={"PYTHONIOENCODING": "utf-8"})
    assert "\x1b" not in ran.out + ran.err


def test_a_reader_that_goes_away_causes_no_traceback(tmp_path: Path) -> None:
    line = f"{sys.executable} -m modelmint --help | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, cwd=tmp_path, env=dict(os.environ))
    assert "Traceback" not in done.stderr
