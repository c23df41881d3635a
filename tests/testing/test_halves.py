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


def run_two(folder: Path, first: str, second: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    """One test in each half, of what is said to be true."""
    (folder / "halves.py").write_text((TESTS / "halves.py").read_text(encoding="utf-8"), encoding="utf-8")
    for name, truth in (("kit", first), ("workshop", second)):
        (folder / name).mkdir(exist_ok=True)
        (folder / name / f"test_{name}.py").write_text(f"def test_it(): assert {truth}\n", encoding="utf-8")
    command = [sys.executable, str(folder / "halves.py"), "-p", "no:cacheprovider", *options]
    return subprocess.run(command, capture_output=True, check=False)


def test_a_failure_in_either_half_is_the_exit_code(tmp_path: Path) -> None:
    for first, second, code in (("1", "1", 0), ("0", "1", 1), ("1", "0", 1)):
        done = run_two(tmp_path, first, second)
        assert done.returncode == code, done.stdout.decode()
        assert done.stdout.count(b"test_kit.py") and done.stdout.count(b"test_workshop.py")


def test_options_may_leave_one_half_without_a_test_but_not_both(tmp_path: Path) -> None:
    for chosen, truth, code in (("kit", "1", 0), ("workshop", "1", 0), ("workshop", "0", 1), ("ghost", "1", 5)):
        done = run_two(tmp_path, truth, truth, "-k", chosen)
        assert done.returncode == code, done.stdout.decode()
