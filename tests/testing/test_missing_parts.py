"""What a test says where a part that it needs is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest


def test_a_missing_part_fails_the_tests_of_a_verdict_and_skips_them_elsewhere(
    missing: Callable[[str], NoReturn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="needs a C compiler"):
        missing("needs a C compiler")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="needs a C compiler"):
        missing("needs a C compiler")
