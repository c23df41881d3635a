"""``modelmint deploy`` where it must refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelmint.testing.shops import furnish


@pytest.mark.parametrize(
    ("words", "code", "exit_code", "found"),
    [
        (("--rollback",), "nothing_before", 4, "has only ever served release"),
        (("--rollback", "--name", "ghost"), "nothing_before", 4, "'ghost' was never deployed"),
        (("--name", "a b/c?"), "bad_model_name", 2, "'a b/c?'"),
    ],
    ids=["never-another", "never-at-all", "no-address"],
)
def test_a_deploy_that_cannot_be_done_says_why(
    modelmint, tmp_path: Path, words: tuple[str, ...], code: str, exit_code: int, found: str
) -> None:
    furnish(tmp_path / "shop")
    ran = modelmint("-C", str(tmp_path / "shop"), "--json", "deploy", *words)
    assert (ran.code, ran.json["error"]["code"]) == (exit_code, code)
    assert found in ran.json["error"]["message"]
