"""Plans beside what is deployed: what they give away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from modelmint.commerce.catalog import plans_from
from modelmint.commerce.types import Deployment
from modelmint.operations.plan_hints import plan_hints
from modelmint.releases.shelf import Shelf
from modelmint.testing.dossiers import told_release
from modelmint.venture.sections.plans import PlanSection

ON_CALLS = {"meter": "calls", "price": "0.02 USD"}
PLANS = plans_from(
    {
        name: PlanSection.model_validate(table)
        for name, table in {
            "trial": {"free_calls": 10, "days": 14},
            "payg": {"per_call": "0.02 USD"},
            "clinic": {"monthly": "49 USD", "included_calls": 5000, "overage": "0.01 USD"},
            "purse": {"prepaid": True, "per_call": "0.02 USD"},
            "whole": {"charges": [ON_CALLS, {"meter": "explanations", "price": "0.30 USD"}]},
        }.items()
    }
)


def told(workspace: Path, passes: object) -> list[str]:
    release = told_release(workspace, bodies={"explanations": {"kind": "occlusion", "passes": passes}})
    served = Deployment("brightness", release.id, "brightness", None, datetime(2026, 11, 11, tzinfo=UTC))
    return plan_hints(PLANS, None, Shelf(workspace / "releases"), [served])


def test_plans_that_sell_calls_and_give_dear_explanations_away_are_named(tmp_path: Path) -> None:
    assert told(tmp_path, 49) == [
        "plans.payg, plans.clinic: explanations cost nothing, and each takes 49 passes of the model beyond its "
        "answer's own. Add a charge over 'explanations' if that is not meant.",
        "plans.purse: explanations cost nothing, and each takes 49 passes of the model beyond its answer's own. A "
        "prepaid plan charges calls alone: sell to those who want explanations on another plan.",
    ]


@pytest.mark.parametrize("passes", [1, None, "49"], ids=["a map in the graph", "not told", "told by somebody else"])
def test_a_cheap_explanation_may_be_free(tmp_path: Path, passes: object) -> None:
    assert told(tmp_path, passes) == []
