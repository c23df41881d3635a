"""Every solution begins a venture that loads without a problem."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelmint.commerce.catalog import plans_from
from modelmint.commerce.plan_hints import hints
from modelmint.kit.money import UnitPrice
from modelmint.solutions.errors import BadAnswer, UnknownSolution
from modelmint.solutions.templates import SOLUTIONS, render
from modelmint.venture.load import LoadedVenture, load_venture
from modelmint.venture.names import BUILT_IN


def begun(tmp_path: Path, solution: str, **answers: str) -> LoadedVenture:
    for name, text in render(solution, "my-shop", **answers).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return load_venture(tmp_path)


def test_the_venture_file_knows_the_same_solutions() -> None:
    assert set(BUILT_IN["solution"]) == set(SOLUTIONS)


@pytest.mark.parametrize("solution", SOLUTIONS)
def test_every_template_is_a_valid_venture_that_can_be_sold(tmp_path: Path, solution: str) -> None:
    file = begun(tmp_path, solution).file
    assert (file.venture.name, file.venture.solution) == ("my-shop", solution)
    assert file.gates.bounds()
    assert file.demand is not None
    assert file.machine.price_per_hour is not None
    plans = file.plans.values()
    assert any(plan.free_calls for plan in plans)
    assert any(plan.per_call for plan in plans)
    assert any(plan.monthly and plan.included_calls and plan.overage for plan in plans)


@pytest.mark.parametrize("solution", SOLUTIONS)
def test_no_paid_plan_of_a_template_gives_explanations_away(tmp_path: Path, solution: str) -> None:
    plans = begun(tmp_path, solution).file.plans
    assert hints(plans_from(plans), (), (), passes=49) == []
    for name, plan in plans.items():
        call = plan.per_call or plan.overage
        maps = [charge.price for charge in plan.charges if charge.meter == "explanations"]
        wanted = [] if call is None else [UnitPrice(30 * call.amount, call.currency)]
        assert maps == wanted, name  # the comment beside it says what was measured


@pytest.mark.parametrize("solution", SOLUTIONS)
def test_the_readme_has_the_name_and_no_open_question(solution: str) -> None:
    files = render(solution, "my-shop")
    assert files["README.md"].startswith("# my-shop\n")
    assert not any("${" in text for text in files.values())


def test_the_chest_xray_template_is_the_sample_of_the_design(tmp_path: Path) -> None:
    file = begun(tmp_path, "chest-xray").file
    assert file.data.labels == ["normal", "pneumonia"]
    assert file.data.positive == "pneumonia"
    assert (file.model.base, file.model.image_size) == ("efficientnet-lite0", 96)  # type: ignore[union-attr]  # it is set
    assert {name: str(bound) for name, bound in file.gates.bounds().items()} == {
        "auroc": ">= 0.95",
        "accuracy_drop": "<= 0.005",
        "p99_ms": "<= 50",
        "gross_margin": ">= 0.70",
    }


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_an_answer_comes_back_as_it_was_given(tmp_path_factory: pytest.TempPathFactory, answer: str) -> None:
    file = begun(tmp_path_factory.mktemp("begun"), "image-screening", source=answer, purpose=answer).file
    assert (file.data.source, file.venture.purpose) == (answer, answer)


def test_unknown_solutions_names_and_questions_are_refused() -> None:
    with pytest.raises(UnknownSolution, match="did you mean 'digits'"):
        render("digit", "x")
    with pytest.raises(BadAnswer) as caught:
        render("digits", "My Shop", colour="red")
    assert len(caught.value.problems) == 2
