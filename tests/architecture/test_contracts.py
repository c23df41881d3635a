"""The house stands as DESIGN says: floors, sizes, rooms."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src" / "modelmint"
FILES = sorted(SOURCE.rglob("*.py"))
PACKAGES = sorted(p.name for p in SOURCE.iterdir() if (p / "__init__.py").exists() and len(list(p.rglob("*.py"))) > 1)


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_every_import_contract_holds() -> None:
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=SOURCE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3000:]
    assert " 0 broken" in run.stdout


@pytest.mark.parametrize("path", [f for f in FILES if f.name == "types.py"], ids=lambda p: str(p.relative_to(SOURCE)))
def test_types_files_import_only_the_standard_library_kit_and_other_types(path: Path) -> None:
    for name in imports_of(path):
        root = name.split(".")[0]
        allowed = root in sys.stdlib_module_names or name.startswith("modelmint.kit") or name.endswith(".types")
        assert allowed, f"{path.relative_to(SOURCE)} imports {name}"


def test_no_file_is_longer_than_three_hundred_lines() -> None:
    long = {str(f.relative_to(SOURCE)): n for f in FILES if (n := len(f.read_text().splitlines())) > 300}
    assert long == {}


def test_no_function_is_longer_than_fifty_lines() -> None:
    long = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 50:
                    long[f"{path.relative_to(SOURCE)}:{node.name}"] = length
    assert long == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_tells_what_it_owns(package: str) -> None:
    readme = SOURCE / package / "README.md"
    assert readme.exists(), f"{package} has no README.md"
    text = readme.read_text()
    assert len(text.splitlines()) <= 60, "a package README is at most a screen"


def test_nothing_unpickles() -> None:
    for path in FILES:
        assert imports_of(path).isdisjoint({"pickle", "cloudpickle", "dill", "joblib"}), path


def test_importing_the_whole_shop_loads_no_torch() -> None:
    code = (
        "import sys, pkgutil, importlib, modelmint\n"
        "for m in pkgutil.walk_packages(modelmint.__path__, 'modelmint.'):\n"
        "    if '.workshop' in m.name or m.name.endswith('__main__') or '.migrations' in m.name: continue\n"
        "    importlib.import_module(m.name)\n"
        "bad = {'torch', 'transformers', 'onnx', 'sklearn', 'scipy'} & set(sys.modules)\n"
        "assert not bad, bad\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
