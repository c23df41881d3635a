"""An empty environment with the shop alone, as ``pip install modelmint`` leaves it."""

from __future__ import annotations

import json
import shutil
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from modelmint.cli.demo.calls import Caller
from modelmint.testing.pictures import picture
from modelmint.testing.shops import furnish

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT_MIB = 300

pytestmark = pytest.mark.timeout(1800)  # what it needs comes from the package index


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, missing: Callable[[str], NoReturn]) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(folder, with_pip=True)
    line = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REPOSITORY]
    installed = subprocess.run(line, capture_output=True, text=True, check=False)
    if installed.returncode and "No matching distribution" in installed.stderr:
        missing("needs the package index to make an empty environment")
    assert installed.returncode == 0, installed.stderr[-2000:]
    return folder


def python(environment: Path, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [environment / "bin" / "python", *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=600
    )


def test_the_shop_alone_stays_under_three_hundred_megabytes_and_has_no_torch(environment: Path, tmp_path: Path) -> None:
    size = sum(f.stat().st_size for f in environment.rglob("*") if f.is_file() and not f.is_symlink())
    assert size / 2**20 <= LIMIT_MIB
    for absent in ("torch", "transformers", "onnx", "sklearn", "openvino"):
        assert python(environment, "-c", f"import {absent}", cwd=tmp_path).returncode == 1, absent


def test_the_shop_alone_serves_a_release_folder_copied_from_elsewhere(environment: Path, tmp_path: Path) -> None:
    made = furnish(tmp_path / "elsewhere")
    copied = tmp_path / "release"
    shutil.copytree(tmp_path / "elsewhere" / ".modelmint" / "releases" / made.release, copied)
    shop = tmp_path / "shop"
    shop.mkdir()
    modelmint = [environment / "bin" / "modelmint", "-C", shop, "--json"]
    serve = [*modelmint, "serve", copied, "--port", "0", "--workers", "1"]
    server = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, cwd=shop)
    try:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())

        def run(*words: str) -> dict:
            done = subprocess.run([*modelmint, *words], capture_output=True, text=True, check=False, cwd=shop)
            assert done.returncode == 0, done.stdout + done.stderr
            return json.loads(done.stdout)

        run("customers", "add", "Clinic East", "--plan", "payg")
        secret = run("keys", "add", "Clinic East")["secret"]
        caller = Caller(told["url"], made.model, secret)
        assert caller.call(picture(240)).body["label"] == "bright"
        caller.close()
        bill = run("invoices", "close", "Clinic East", "--until-now")
        assert bill["invoices"][0]["lines"][0]["quantity"] == 1
        refused = subprocess.run([*modelmint, "build"], capture_output=True, text=True, check=False, cwd=shop)
        assert refused.returncode in {3, 8}
    finally:
        server.terminate()
        assert server.wait(60) == 0
