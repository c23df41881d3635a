"""Fixtures that every test may ask for."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

_REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """To be called with what a test needs and does not find.

    Skips; fails where CI is set, because a verdict must not rest on tests that silently did not run.
    """

    def tell(reason: str) -> NoReturn:
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (CI is set, so this is not skipped)", pytrace=False)
        pytest.skip(reason)

    return tell


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real datasets; skips where the machine does not have it."""
    folder = Path(os.environ.get("MODELMINT_TEST_DATA", _REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"needs the datasets folder at {folder} (set MODELMINT_TEST_DATA)")
    return folder
