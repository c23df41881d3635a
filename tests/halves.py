"""Every test, in two processes at once: ``python tests/halves.py [pytest's options]``; what ``make test`` runs.

By folder and not by test: fixtures of a folder are expensive (a server, a browser, a built release) and made once.
The first half is told as it runs, the second when it has ended. Exits as the first
half did where that failed, else as the second did; one half may be left without a test by the options, both may not.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
#: Measured: about half of the time. A folder that is not named here is in the other half.
FIRST = ("api", "cli", "commerce", "contracts", "kit", "properties", "store")
#: pytest's exit code where it ran no test.
NO_TESTS = pytest.ExitCode.NO_TESTS_COLLECTED


def halves() -> tuple[list[Path], list[Path]]:
    """Folders (and files) with tests directly below ``tests``, each in one half."""
    found = sorted(path for path in TESTS.iterdir() if _has_tests(path))
    return [path for path in found if path.name in FIRST], [path for path in found if path.name not in FIRST]


def _has_tests(path: Path) -> bool:
    return any(path.rglob("test_*.py")) if path.is_dir() else path.match("test_*.py")


def main(options: list[str]) -> int:
    """Run both halves; 0 where every test of both passed."""
    commands = [
        [sys.executable, "-m", "pytest", *map(str, half), "-o", f"cache_dir=.pytest_cache/half-{number}", *options]
        for number, half in enumerate(halves())
    ]
    with tempfile.TemporaryFile() as later:
        second = subprocess.Popen(commands[1], cwd=TESTS.parent, stdout=later, stderr=subprocess.STDOUT)
        try:
            codes = [subprocess.run(commands[0], cwd=TESTS.parent, check=False).returncode, second.wait()]
        finally:
            second.terminate()
            second.wait()
            later.seek(0)
            sys.stdout.flush()
            sys.stdout.buffer.write(later.read())
            sys.stdout.flush()
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    return next(iter(failed), min(codes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
