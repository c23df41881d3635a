"""The door itself, through the real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import modelmint as package


def test_the_version_is_told_before_anything_is_imported(modelmint) -> None:
    ran = modelmint("--version", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert (ran.code, ran.out) == (0, f"modelmint {package.__version__}\n")
    imported = {line.rsplit("|", 1)[1].strip() for line in ran.err.splitlines() if line.startswith("import time:")}
    assert "modelmint.cli.main" in imported
    ours = {name for name in imported if name.startswith("modelmint")}
    assert ours <= {"modelmint", "modelmint.cli", "modelmint.cli.main", "modelmint.cli.exits"} | {
        "modelmint.kit", "modelmint.kit.errors", "modelmint.kit.version",
    }  # fmt: skip
    slow = {"typer", "click", "rich", "pydantic", "numpy", "sqlalchemy", "starlette", "asyncio", "importlib.metadata"}
    assert not slow & imported


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


_WITHOUT = (
    "import sys; sys.modules[{module!r}] = None; from modelmint.cli.main import main; sys.exit(main(sys.argv[1:]))"
)


def _without(module: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command in an interpreter where ``module`` cannot be imported."""
    line = [sys.executable, "-c", _WITHOUT.format(module=module), *words]
    return subprocess.run(line, capture_output=True, text=True, cwd=cwd)


def test_building_without_torch_names_the_extra_to_install(modelmint, tmp_path: Path) -> None:
    modelmint("new", "numbers", "--solution", "digits")
    ran = _without("torch", "-C", "numbers", "build", "--json", cwd=tmp_path)
    assert ran.returncode == 8
    error = json.loads(ran.stdout)["error"]
    assert error["code"] == "missing_extra"
    assert 'pip install "modelmint[workshop]"' in error["message"]
    assert _without("torch", "demo", cwd=tmp_path).returncode == 8


def test_an_unforeseen_error_is_one_line_with_a_hint_and_a_traceback_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_text("")
    ran = _without("modelmint.bootstrap", "customers", "list", cwd=tmp_path)
    assert ran.returncode == 1
    assert "--debug" in ran.stderr
    assert "Traceback" not in ran.stderr
    debugged = _without("modelmint.bootstrap", "customers", "list", "--debug", "--json", cwd=tmp_path)
    assert "Traceback" in debugged.stderr
    assert json.loads(debugged.stdout)["error"]["code"] == "unexpected"


def test_new_writes_a_valid_commented_venture_and_never_overwrites(modelmint, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    made = modelmint("new", "my-clinic", "--solution", "image-screening", "--data", "pictures", "--json").json
    venture = tmp_path / "my-clinic" / "venture.toml"
    assert str(venture) in made["files"]
    assert str(pictures) in venture.read_text()
    assert venture.read_text().count("#") > 10
    before = venture.read_text()
    again = modelmint("new", "my-clinic", "--json")
    assert (again.code, again.json["error"]["code"]) == (4, "file_in_the_way")
    assert venture.read_text() == before
    assert modelmint("new", "x", "--solution", "digitz", "--json").code == 3
    assert "modelmint -C other build" in modelmint("new", "other").out
    assert "nowhere is not there yet" in modelmint("new", "early", "--data", "nowhere").err


def test_waivers_are_checked_before_the_long_run(modelmint) -> None:
    modelmint("new", "numbers", "--solution", "digits")
    ran = modelmint("-C", "numbers", "build", "--waive", "acuracy=because I say so", "--waive", "p99_ms=x", "--json")
    assert ran.code == 2
    assert len(ran.json["error"]["problems"]) == 2
    assert "did you mean 'accuracy'?" in ran.json["error"]["problems"][0]
