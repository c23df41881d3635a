"""What sections refuse, what they call unavailable, and how they show what was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelmint.venture.errors import InvalidVenture
from modelmint.venture.load import load_venture
from modelmint.venture.sections.gates import GatesSection
from modelmint.venture.types import Problem

MINIMAL = '[venture]\nname = "shop"\n[data]\nsource = "pictures"\n'


def problems_of(tmp_path: Path, text: str) -> list[Problem]:
    (tmp_path / "venture.toml").write_text(text)
    with pytest.raises(InvalidVenture) as caught:
        load_venture(tmp_path)
    return list(caught.value.found)


def test_compress_may_stand_beside_variants_where_another_model_needs_it(tmp_path: Path) -> None:
    text = '[compress]\ncalibration_samples = 9\n[models.a]\nbase = "cnn"\n[models.b.variants.small]\nrecipe = []\n'
    (tmp_path / "venture.toml").write_text(MINIMAL + text)
    assert load_venture(tmp_path).file.compress.calibration_samples == 9


PLANS = """\
[plans.mixed]
free_calls = 10
per_call = "1 USD"
[plans.short]
days = 3
monthly = "9 USD"
[plans.both]
monthly = "9 USD"
free_calls = 5
[[plans.twice.charges]]
tiers = [{ price = "1 USD" }]
[[plans.twice.charges]]
tiers = [{ price = "2 USD" }]
[[plans.ends.charges]]
meter = "items"
tiers = [{ up_to = 2, price = "2 USD" },
  { up_to = 5, price = "1 USD" }]
"""


def test_plans_that_cannot_be_sold_are_all_told_with_their_lines(tmp_path: Path) -> None:
    found = [(p.line - 4, p.path, p.message.split("; ")[0]) for p in problems_of(tmp_path, MINIMAL + PLANS)]
    assert found == [
        (2, "plans.mixed.free_calls", "free_calls and days make a trial, which has no price"),
        (5, "plans.short.days", "free_calls and days make a trial, which has no price"),
        (9, "plans.both.free_calls", "free_calls and days make a trial, which has no price"),
        (12, "plans.twice.charges[1]", "a second charge over meter 'calls'"),
        (17, "plans.ends.charges[0].tiers[1].up_to", "the last tier of meter 'items' ends at 5"),
    ]


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ('[model]\nbase = "auto"\n', "model.base",
         '"auto" is not available in this version; available: cnn, efficientnet-lite0, efficientnet-lite2, a folder or '
         "a hub id like owner/model"),
        ('[model]\nmethod = "lora"\n', "model.method",
         '"lora" is not available in this version; available: "full" or "head"'),
        ('[models.a]\nmethod = "adalora"\n', "models.a.method",
         '"adalora" is not available in this version; available: "full" or "head"'),
        ('[model]\nmethod = "adapter"\n', "model.method",
         '"adapter" is not available in this version; available: "full" or "head"'),
        ('[compress]\nrecipe = "auto"\n', "compress.recipe",
         '"auto" is not available in this version; available: ["quantise"], or [] for float32'),
        ('[compress]\nrecipe = ["prune"]\n', "compress.recipe[0]",
         '"prune" is not available in this version; available: "quantise"'),
        ('[[compress.step]]\nkind = "prune"\n', "compress.step[0].kind",
         '"prune" is not available in this version; available: "quantise"'),
    ],
)  # fmt: skip
def test_what_this_version_cannot_do_is_called_so(tmp_path: Path, text: str, path: str, message: str) -> None:
    (problem,) = problems_of(tmp_path, MINIMAL + text)
    assert (problem.path, problem.message, problem.suggestion) == (path, message, None)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (">=0.9999999", ">= 0.9999999"),
        (" <=  12_345_678 ", "<= 12_345_678"),
        ("> 1e-9", "> 1e-9"),
        ("< 0.10", "< 0.10"),
    ],
)
def test_a_gate_is_shown_as_it_was_written(written: str, shown: str) -> None:
    (bound,) = GatesSection.model_validate({"cpu_ms": written}).bounds().values()
    assert str(bound) == shown
