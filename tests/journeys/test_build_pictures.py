"""A founder's own pictures, through the shell: built, refused by a gate, built again, damaged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from modelmint.testing.pictures import picture

pytestmark = pytest.mark.timeout(1800)

TEXT = """
[venture]
name = "shades"
purpose = "tells dark tiles from bright ones"
use = "for tests only"

[data]
source = "tiles"
labels = ["dark", "bright"]
positive = "bright"

[model]
base = "cnn"
image_size = 16
epochs = 2

[gates]
auroc = ">= 0.6"

[machine]
price_per_hour = "0.08 USD"
"""


def shell(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "modelmint", "-C", str(root), "--json", *words]
    return subprocess.run(line, capture_output=True, text=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = tmp_path_factory.mktemp("shades")
    for place, (label, brightness) in enumerate((("dark", 105), ("bright", 150))):
        folder = root / "tiles" / label
        folder.mkdir(parents=True)
        for row in range(40):
            (folder / f"{row}.png").write_bytes(picture(brightness, noise=90, seed=1000 * place + row))
    (root / "tiles" / "bright" / "broken.png").write_bytes(picture(150, noise=90)[:60])
    (root / "tiles" / "dark" / "again.png").write_bytes((root / "tiles" / "dark" / "0.png").read_bytes())
    (root / "venture.toml").write_text(TEXT)
    done = shell(root, "build")
    assert done.returncode == 0, done.stderr[-3000:]
    report: dict[str, Any] = json.loads(done.stdout)  # one object, and nothing else on stdout
    return root, report


def test_the_build_says_what_was_wrong_with_the_pictures(built: tuple[Path, dict[str, Any]]) -> None:
    findings = built[1]["dataset"]["findings"]
    assert built[1]["dataset"]["problems"] == sum(findings.values()) >= 2
    assert findings["exact_duplicate"] == 1


def test_every_candidate_for_sale_went_through_the_real_server(built: tuple[Path, dict[str, Any]]) -> None:
    alive = [row for row in built[1]["candidates"] if row["rejected"] is None]
    assert alive
    for row in alive:
        assert row["calls_per_second"] > 0
        assert row["cost_per_1k"] == pytest.approx(0.08 / 3600 / row["calls_per_second"] * 1000, rel=1e-2)
        assert row["monthly_value"] == "not computable"
    assert built[1]["cost"]["server_cpu_ms"] > 0
    assert built[1]["cost"]["load_test"]["points"]


def test_building_again_changes_nothing_and_says_so(built: tuple[Path, dict[str, Any]]) -> None:
    again = json.loads(shell(built[0], "build").stdout)
    assert again["release"] == built[1]["release"]
    assert again["cached"] == ["prepare", "train", "compress", "judge", "price", "explain", "release"]
    assert again["seconds"] == built[1]["seconds"]


def test_a_gate_that_fails_ends_with_exit_5_and_the_table(built: tuple[Path, dict[str, Any]]) -> None:
    root, _ = built
    (root / "venture.toml").write_text(TEXT.replace('auroc = ">= 0.6"', 'auroc = ">= 0.6"\nsize_bytes = "<= 10"'))
    try:
        done = shell(root, "build")
        assert done.returncode == 5, done.stderr[-2000:]
        told = done.stdout + done.stderr
        assert "size_bytes" in told
        assert "<= 10" in told
        waived = shell(root, "build", "--waive", "size_bytes=the test wants to see a waiver")
        assert waived.returncode == 0, waived.stderr[-2000:]
        gates = {gate["name"]: gate for gate in json.loads(waived.stdout)["gates"]}
        assert gates["size_bytes"]["waived"] == "the test wants to see a waiver"
    finally:
        (root / "venture.toml").write_text(TEXT)


def test_one_changed_byte_of_the_release_is_found_and_named(built: tuple[Path, dict[str, Any]]) -> None:
    root, report = built
    release = report["release"]
    assert shell(root, "releases", "verify", release["id"]).returncode == 0
    graph = next(Path(release["path"]).rglob("model.onnx"))
    content = graph.read_bytes()
    try:
        graph.write_bytes(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
        done = shell(root, "releases", "verify", release["id"])
        assert done.returncode == 9
        assert "models/shades/default/model.onnx" in done.stdout + done.stderr
    finally:
        graph.write_bytes(content)
