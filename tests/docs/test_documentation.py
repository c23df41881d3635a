"""The documentation says what is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from modelmint.venture.schema import VentureFile

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def fields(model: type[BaseModel], seen: set[type]) -> set[str]:
    names: set[str] = set()
    seen.add(model)
    for name, field in model.model_fields.items():
        names.add(name)
        for kind in re.findall(r"modelmint\.venture\.sections\.\w+\.(\w+Section|CompressStep)", str(field.annotation)):
            found = next((c for c in _sections() if c.__name__ == kind), None)
            if found and found not in seen:
                names |= fields(found, seen)
    return names


def _sections() -> list[type[BaseModel]]:
    from modelmint.venture.sections.base import Section

    return list(Section.__subclasses__())


def test_every_key_of_the_venture_file_is_documented() -> None:
    text = (DOCS / "venture-file.md").read_text()
    missing = {name for name in fields(VentureFile, set()) if f"`{name}`" not in text and f"[{name}" not in text}
    assert missing == set()


def test_the_documentation_builds_with_strict_links(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html", DOCS, tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_links_of_the_readmes_point_at_files_that_exist(name: str) -> None:
    text = (ROOT / name).read_text()
    for target in re.findall(r"\]\(([^)#]+)", text) + re.findall(r'src="([^"]+)"', text):
        if not target.startswith(("http", "mailto:")):
            assert (ROOT / target).exists(), f"{name} links to {target}"


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readmes_first_screen_shows_the_two_commands(name: str) -> None:
    first = "\n".join((ROOT / name).read_text().splitlines()[:60])
    assert "make demo" in first
    assert "make test" in first


def test_the_two_readmes_show_the_same_commands() -> None:
    def blocks(name: str) -> list[str]:
        return re.findall(r"```(?:bash|sh|console)\n(.*?)```", (ROOT / name).read_text(), re.DOTALL)

    strip = [[re.sub(r"\s*#.*", "", line) for line in b.splitlines()] for b in blocks("README.md")]
    other = [[re.sub(r"\s*#.*", "", line) for line in b.splitlines()] for b in blocks("README.zh-CN.md")]
    assert strip == other


def test_every_verb_of_the_shell_is_documented() -> None:
    from modelmint.cli.app import command

    text = (DOCS / "commands.md").read_text()
    root = command()
    for name, verb in root.commands.items():
        assert f"`modelmint {name}" in text, name
        for inner in getattr(verb, "commands", {}):
            assert f"`{inner}`" in text or f"{name} {inner}`" in text, f"{name} {inner}"


def test_every_route_is_documented() -> None:
    from modelmint.api.openapi import document

    text = (DOCS / "http-api.md").read_text()
    for path in document("t", "d")["paths"]:
        parent = "/".join(path.split("/")[:4]) if path.startswith("/admin") else path
        assert f"`{path}`" in text or f"`{parent}`" in text, path
