"""Plans put on sale and changed at the shell of a real shop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from modelmint.testing.shops import Furnished, furnish

SPECIAL = '[plans.special]\nmonthly = "30 USD"\n'


@pytest.fixture
def shop(tmp_path: Path) -> Furnished:
    return furnish(tmp_path / "shop")


@pytest.fixture
def typed(modelmint, shop: Furnished) -> Callable[..., object]:
    def run(*words: str):
        return modelmint("-C", str(shop.root), *words)

    return run


@pytest.fixture
def special(typed, tmp_path: Path) -> Path:
    """A file of plans, on sale."""
    file = tmp_path / "more.toml"
    file.write_text(SPECIAL)
    assert typed("plans", "put", str(file), "--json").json["versions"][0]["origin"] == "api"
    return file


def test_plans_of_a_file_are_sold_beside_the_others_until_they_are_withdrawn(typed, special: Path) -> None:
    assert "special" in [plan["name"] for plan in typed("plans", "list", "--json").json["plans"]]
    assert typed("plans", "withdraw", "special").code == 0
    assert "special" not in [plan["name"] for plan in typed("plans", "list", "--json").json["plans"]]
    assert typed("plans", "withdraw", "special").code == 3


def test_terms_to_come_are_listed_among_the_versions(typed, special: Path) -> None:
    special.write_text(SPECIAL.replace("30", "40") + "effective = 2099-01-01\n")
    typed("plans", "put", str(special))
    shown = typed("--plain", "plans", "list", "--versions").out
    assert "30.00 USD a month" in shown
    assert "from 2099-01-01 00:00" in shown


@pytest.mark.parametrize(
    ("text", "line", "path"),
    [
        ('[plans.special]\nmonthly = "30"\n', 2, "plans.special.monthly"),
        ('[plans.special]\nmonthly = "30 USD"\ndays = 3\n', 3, "plans.special.days"),
        ('[venture]\nname = "x"\n[plans.special]\nmonthly = "30 USD"\n', 1, "venture"),
        ("", 1, "plans"),
        ("plans = 3\n", 1, "plans"),
        ("[plans.special\n", 1, "`[plans.special`"),
    ],
)
def test_a_file_with_problems_is_refused_with_their_lines(
    typed, tmp_path: Path, text: str, line: int, path: str
) -> None:
    file = tmp_path / "more.toml"
    file.write_text(text)
    ran = typed("plans", "put", str(file), "--json")
    found = [(problem["line"], problem["path"]) for problem in ran.json["error"]["details"]["problems"]]
    assert (ran.code, found) == (2, [(line, path)])


def test_a_plan_of_the_venture_file_is_changed_there(typed, tmp_path: Path) -> None:
    file = tmp_path / "more.toml"
    file.write_text('[plans.payg]\nper_call = "9 USD"\n')
    assert typed("plans", "put", str(file), "--json").json["error"]["code"] == "plan_in_file"


def test_a_charge_that_counts_no_call_is_put_with_a_warning(typed, shop: Furnished, tmp_path: Path) -> None:
    file = tmp_path / "more.toml"
    file.write_text('[plans.odd]\n[[plans.odd.charges]]\nprice = "1 USD"\nvariant = "smal"\n')
    warnings = typed("plans", "put", str(file), "--json").json["warnings"]
    assert [warning.split(":")[0] for warning in warnings] == ["plans.odd.charges.0.variant", "plans.odd"]
    assert "'smal'" in typed("plans", "put", str(file)).out


def test_a_change_is_previewed_made_and_undone(typed, shop: Furnished, special: Path) -> None:
    who = shop.customer
    seen = typed("plans", "preview", who, "special", "--at", "period-end", "--json").json["preview"]
    assert seen["difference"]["minor"] == 3000
    planned = typed("plans", "change", who, "special", "--at", "period-end", "--json").json["scheduled"]
    assert [(one["what"], one["plan"]) for one in planned] == [("change", "special")]
    assert typed("plans", "undo", who, "--json").json["scheduled"] == []
    assert "holds special from" in typed("plans", "change", who, "special").out


def test_a_plan_is_paused_resumed_and_cancelled(typed, shop: Furnished) -> None:
    who = shop.customer
    assert typed("plans", "pause", who, "--json").json["subscription"]["state"] == "paused"
    assert typed("plans", "resume", who, "--json").json["subscription"]["state"] == "active"
    assert "gives up payg" in typed("plans", "cancel", who, "--at", "period-end").out
    assert typed("plans", "cancel", who, "--at", "tomorrow").code == 2
