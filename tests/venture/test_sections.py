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
        (
            12,
            "plans.twice.charges[1]",
            "a second charge over meter 'calls' that never counts: the one before takes it all",
        ),
        (17, "plans.ends.charges[0].tiers[1].up_to", "the last tier of meter 'items' ends at 5"),
    ]


IMPOSSIBLE: list[tuple[str, str, str]] = [
    ("prepaid = true\nmonthly = '9 USD'", "prepaid", "prepaid needs a price for each call"),
    ("prepaid = true\nper_call = '1 USD'\nminimum = '9 USD'", "minimum", "minimum does not go with prepaid"),
    ("prepaid = true\nper_call = '0 USD'", "prepaid", "a prepaid plan without a price takes nothing"),
    ("prepaid = true\ncharges = [{package = 5, price = '1 USD'}]", "charges[0]", "a prepaid plan charges calls"),
    ("prepaid = true\ncharges = [{meter = 'items', price = '1 USD'}]", "charges[0]", "a prepaid plan charges calls"),
    ("per_call = '1 USD'\ncap = '5 USD'\nminimum = '6 USD'", "cap", "cap lies below minimum"),
    ("monthly = '1 USD'\ncap = '5 USD'", "cap", "cap is the most that usage may cost"),
    ("per_call = '1 USD'\nminimum = '6 CNY'", "", "a plan has one currency, found CNY, USD"),
    ("yearly = '1 USD'\ndays = 3", "days", "free_calls and days make a trial"),
    ("yearly = '1 USD'\nper_call = '1 USD'", "per_call", "per_call is for pay-per-use plans"),
    ("per_call = '1 USD'\npromise = {credit = '5 %'}", "promise", "a promise needs p99_ms or availability"),
    ("per_call = '1 USD'\npromise = {p99_ms = 50}", "promise.credit", "is missing"),
    ("per_call = '1 USD'\npromise = {p99_ms = 0, credit = '5 %'}", "promise.p99_ms", "expected a number above 0"),
    ("per_call = '1 USD'\npromise = {p99_ms = 5, credit = '0 %'}", "promise.credit", "a promise of 0 % gives nothing"),
    ("free_calls = 5\npromise = {p99_ms = 5, credit = '5 %'}", "promise", "a promise gives back a share"),
    ("charges = [{meter = 'pages', percent = '2 %'}]", "charges", "a plan of percentages alone says its currency"),
    ("currency = 'XXX'\ncharges = [{meter = 'pages', percent = '2 %'}]", "currency", "unknown currency 'XXX'"),
    ("charges = [{percent = '2 %'}]\ncurrency = 'USD'", "charges[0].percent", "a percentage is of amounts that events"),
    ("charges = [{}]", "charges[0]", "a charge needs price"),
    ("per_call = '1 USD'\ncharges = [{meter = 'items', price = '1 USD'}, {price = '2 USD', state = 'abstained'}]",
     "charges[1]", "per_call prices calls already; give per_call or a charge over calls"),
    ("monthly = '9 USD'\nincluded_calls = 5\ncharges = [{price = '2 USD'}]", "charges[0]",
     "included_calls prices calls already"),
    ("prepaid = true\nper_call = '1 USD'\ncharges = [{meter = 'explanations', price = '1 USD'}]", "charges[0]",
     "a prepaid plan charges calls"),
    ("charges = [{meter = 'p', price = '1 USD', percent = '1 %'}]", "charges[0].percent", "give one of price, tiers"),
    ("charges = [{meter = 'p', percent = 'nan %'}]", "charges[0].percent", "expected a percentage in quotes"),
    ("charges = [{package = 5, tiers = [{price = '1 USD'}]}]", "charges[0].package", "package is a number of units"),
    ("charges = [{kind = 'package', price = '1 USD'}]", "charges[0].kind", "the keys beside it make a per_unit charge"),
    ("charges = [{aggregate = 'unique', price = '1 USD'}]", "charges[0].aggregate", "unique is for meters that events"),
    ("charges = [{meter = 'p', aggregate = 'unique', model = 'm', price = '1 USD'}]", "charges[0].model",
     "unique counts all of its meter"),
    ("charges = [{meter = 'p', price = '1 USD', model = 'm'}, {meter = 'p', price = '1 USD', aggregate = 'unique'}]",
     "charges[1]", "a unique charge is the only one over its meter"),
    ("charges = [{meter = 'p', percent = '1 %', aggregate = 'max'}]\ncurrency = 'USD'", "charges[0].aggregate",
     "a percentage adds amounts up"),
    ("charges = [{state = 'abstain', price = '1 USD'}]", "charges[0].state", "expected ok or abstained"),
    ("charges = [{meter = 'Bad Name', price = '1 USD'}]", "charges[0].meter", "a meter's name has small letters"),
    ("charges = [{price = '1 USD'}, {price = '2 USD', model = 'm'}]", "charges[1]", "a second charge over meter"),
    ("charges = [{price = '1 USD', model = 'm'}, {price = '2 USD', model = 'm'}]", "charges[1]", "a second charge"),
    ("charges = [{price = '1 USD', model = 'm'}, {price = '2 USD', model = 'm', state = 'ok'}]", "charges[1]",
     "a second charge"),
    ("charges = [{model = 'm', price = '1 USD'}, {tiers = [{up_to = 5, price = '2 USD'}]}]",
     "charges[1].tiers[0].up_to", "the last tier ends, and the plan with it, only where one charge"),
    ("charges = [{model = 'm', tiers = [{up_to = 5, price = '2 USD'}]}]", "charges[0].tiers[0].up_to",
     "the last tier of meter 'calls' ends at 5"),
    ("per_call = '1 USD'\neffective = 2027-01-01T00:00:00", "effective", "expected a date like 2027-01-01"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "path", "message"), IMPOSSIBLE)
def test_a_plan_that_makes_no_sense_is_refused_where_it_does_not(
    tmp_path: Path, text: str, path: str, message: str
) -> None:
    found = [(p.path, p.message) for p in problems_of(tmp_path, f"{MINIMAL}[plans.odd]\n{text}\n")]
    wanted = f"plans.odd.{path}".rstrip(".")
    assert [one for one, said in found if message in said] == [wanted], found


POSSIBLE = [
    "charges = [{price = '1 USD', model = 'm', state = 'ok'}, {price = '2 USD', model = 'm'}, {price = '3 USD'}]",
    "charges = [{kind = 'graduated', tiers = [{price = '1 USD'}]}]",
    "charges = [{meter = 'pages.read_2', price = '1 USD', aggregate = 'max', state = 'half_read'}]",
    "prepaid = true\ncharges = [{model = 'm', price = '1 USD'}, {price = '0 USD'}]",
    "per_call = '1 USD'\ncharges = [{meter = 'explanations', price = '30 USD'}]",
    "minimum = '5 USD'",
    "currency = 'USD'\ncharges = [{meter = 'sales', percent = '2.5 %', included = 1000}]",
    "per_call = '1 USD'\neffective = 2027-01-01",
    "per_call = '1 USD'\neffective = 2027-01-01T08:00:00+08:00",
]


@pytest.mark.parametrize("text", POSSIBLE)
def test_a_plan_that_makes_sense_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "venture.toml").write_text(f"{MINIMAL}[plans.fine]\n{text}\n")
    assert load_venture(tmp_path).file.plans["fine"].sold_in == "USD"


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ('[model]\nbase = "auto"\n', "model.base",
         '"auto" is not available in this version; available: cnn, efficientnet-lite0, efficientnet-lite2, a folder, '
         "an .onnx file or a hub id like owner/model"),
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
