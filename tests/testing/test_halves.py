"""``make test`` runs every test of the repository once, and fails where one fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


def test_every_test_file_is_in_exactly_one_half() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "import halves; [print(path) for half in halves.halves() for path in half]"],
        cwd=TESTS,
        capture_output=True,
        text=True,
        check=True,
    )
    chosen = [Path(line) for line in told.stdout.splitlines()]
    for file in TESTS.rglob("test_*.py"):
        assert sum(file == one or one in file.parents for one in chosen) == 1, file


def test_a_failure_in_either_half_is_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "halves.py").write_text((TESTS / "halves.py").read_text(encoding="utf-8"), encoding="utf-8")
    for first, second, code in (("1", "1", 0), ("0", "1", 1), ("1", "0", 1)):
        for folder, truth in (("kit", first), ("workshop", second)):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"test_{folder}.py").write_text(f"def test_it(): assert {truth}\n", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(tmp_path / "halves.py"), "-p", "no:cacheprovider"], capture_output=True, check=False
        )
        assert done.returncode == code, done.stdout.decode()
        assert done.stdout.count(b"test_kit.py") and done.stdout.count(b"test_workshop.py")
