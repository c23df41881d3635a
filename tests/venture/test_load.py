"""A venture file is read, or every problem in it is told at once, with its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from modelmint.kit.money import Money, UnitPrice
from modelmint.venture.errors import InvalidVenture, VentureNotFound
from modelmint.venture.load import load_venture
from modelmint.venture.types import Problem

MINIMAL = '[venture]\nname = "shop"\n[data]\nsource = "pictures"\n'


def problems_of(tmp_path: Path, text: str | bytes) -> list[Problem]:
    path = tmp_path / "venture.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidVenture) as caught:
        load_venture(path)
    return list(caught.value.found)


def only(tmp_path: Path, text: str | bytes) -> Problem:
    (problem,) = problems_of(tmp_path, text)
    return problem


def test_a_minimal_file_takes_every_default(tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_text(MINIMAL)
    loaded = load_venture(tmp_path)
    assert loaded.folder == tmp_path
    assert loaded.path == tmp_path / "venture.toml"
    assert loaded.text == MINIMAL
    assert list(loaded.file.all_models()) == ["shop"]
    assert loaded.file.all_models()["shop"].base == "efficientnet-lite0"
    assert loaded.file.currency is None


def test_prices_shares_and_plans_arrive_exact(tmp_path: Path) -> None:
    text = MINIMAL + (
        '[costs]\nwrong_answer = "0.50 USD"\npayment_fee = "2.9 %"\n'
        '[plans.clinic]\nmonthly = "49 USD"\nincluded_calls = 5_000\noverage = "0.0125 USD"\n'
    )
    (tmp_path / "venture.toml").write_text(text)
    file = load_venture(tmp_path).file
    assert file.costs.wrong_answer == UnitPrice(Decimal("0.50"), "USD")
    assert file.costs.payment_fee == Decimal("0.029")
    assert file.plans["clinic"].monthly == Money(4900, "USD")
    assert file.plans["clinic"].overage == UnitPrice(Decimal("0.0125"), "USD")
    assert file.currency == "USD"


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem(tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert load_venture(tmp_path).file.venture.name == "shop"


def test_a_missing_file_says_how_to_begin(tmp_path: Path) -> None:
    with pytest.raises(VentureNotFound, match="modelmint new"):
        load_venture(tmp_path)


def test_everything_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    text = """\
[ventur]
name = "x"
[venture]
name = "Chest X"
purpose = 5
[data]
source = "a"
train = "b"
labels = ["a",
  "b", # a comment with = and [
  "a"]
positive = "c"
[model]
base = "efficentnet-lite0"
epochs = "3"
augment = ["shift", "flap"]
image_size = 4
mehtod = "head"
[model.variants]
small = { recipe = ["quantize"] }
[gates]
auroc = 0.9
accuracy = ">= 0.9"
[gates.waive]
acuracy = "because we say so"
[demand]
calls_per_month = 10
[demand.plan_mix]
payg = 0.5
clinc = 0.5
[plans.payg]
per_call = "0.02 USD"
[plans.clinic]
monthly = "49 EUR"
overage = "0.01 EUR"
[[plans.t.charges]]
tiers = [{up_to = 5, price = "1 USD"},
 {up_to = 3, price = 3}]
"""
    found = {(p.line, p.path): p.suggestion for p in problems_of(tmp_path, text)}
    assert found == {
        (1, "ventur"): "venture",
        (4, "venture.name"): None,
        (5, "venture.purpose"): None,
        (8, "data.train"): None,
        (11, "data.labels[2]"): None,
        (12, "data.positive"): None,
        (14, "model.base"): "efficientnet-lite0",
        (15, "model.epochs"): None,
        (16, "model.augment[1]"): "flip",
        (17, "model.image_size"): None,
        (18, "model.mehtod"): "method",
        (20, "model.variants.small.recipe[0]"): "quantise",
        (22, "gates.auroc"): None,
        (25, "gates.waive.acuracy"): "accuracy",
        (30, "demand.plan_mix.clinc"): "clinic",
        (33, "plans.clinic"): None,
        (35, "plans.clinic.overage"): None,
        (38, "plans.t.charges[0].tiers[1].price"): None,
    }


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("epochs = true", "expected a whole number, found true"),
        ("epochs = 3.0", "expected a whole number, found the number 3.0"),
        ('dropout = "0.2"', "expected a number, found the text '0.2'"),
        ("dropout = nan", "expected a finite number, found the number nan"),
        ("dropout = 1", "expected less than 1, found 1"),
        ("base = 5", "expected a text in quotes, found the number 5"),
        ("base = 2026-01-01", "expected a text in quotes, found the date or time 2026-01-01"),
        ("variants = 3", "expected a section, found the number 3"),
        ('method = "hed"', 'expected "full" or "head", found the text \'hed\''),
        ('augment = "atuo"', 'expected "auto" or "none", found the text \'atuo\''),
        ("epochs = 0", "expected at least 1, found 0"),
        ("seed = -1", "expected at least 0, found -1"),
    ],
)
def test_messages_say_what_was_expected_and_what_was_found(tmp_path: Path, line: str, message: str) -> None:
    problem = only(tmp_path, f"{MINIMAL}[model]\n{line}\n")
    assert (problem.line, problem.message) == (6, message)


@pytest.mark.parametrize(
    ("text", "line", "path"),
    [
        (MINIMAL + '[models.a]\n[models."B c"]\n', 6, "models.B c"),
        (MINIMAL + "model.epochs = 0\n", 5, "data.model"),
        ('data.source = "x"\nventure.name = "a b"\n', 2, "venture.name"),
        ('data = { source = "x" }\nventure = { name = "a", use = 3 }\n', 2, "venture.use"),
        ('[data]\nsource = """\na\n"""\nformat = "npzz"\n[venture]\nname = "a"', 5, "data.format"),
        ('[data]\nsource = "a"\n[venture]\nname = "a"\n["plans"."p\\u0061y"]\nper_call = 1', 6, "plans.pay.per_call"),
        (MINIMAL + '[plans.a]\nper_call = "1 USD"\n[[plans.a.charges]]\ntiers = []\n', 8, "plans.a.charges[0].tiers"),
    ],
)
def test_lines_are_found_in_every_way_of_writing_a_key(tmp_path: Path, text: str, line: int, path: str) -> None:
    problem = only(tmp_path, text)
    assert (problem.line, problem.path) == (line, path)


def test_items_of_arrays_of_tables_have_their_own_lines(tmp_path: Path) -> None:
    text = MINIMAL + (
        '[[plans.a.charges]]\nmeter = "calls"\ntiers = [{ price = "1 USD" }]\n\n'
        '[[plans.a.charges]]\nmeter = "cals"\ntiers = [{ price = "1 USD" }]\n'
    )
    problem = only(tmp_path, text)
    assert (problem.line, problem.path, problem.suggestion) == (10, "plans.a.charges[1].meter", "calls")


def test_a_missing_section_and_a_missing_key_are_named(tmp_path: Path) -> None:
    assert [(p.line, p.path, p.message) for p in problems_of(tmp_path, "\n\n[venture]\n")] == [
        (1, "data", "the section [data] is missing"),
        (3, "venture.name", "is missing; give it a value"),
    ]


def test_an_empty_file_lacks_its_sections_and_nothing_else(tmp_path: Path) -> None:
    assert [p.path for p in problems_of(tmp_path, "")] == ["data", "venture"]


def test_a_missing_section_does_not_hide_what_does_not_fit_elsewhere(tmp_path: Path) -> None:
    text = '[venture]\nname = "a"\n[demand]\ncalls_per_month = 1\nplan_mix = { payg = 0.5 }\n'
    assert [(p.line, p.path) for p in problems_of(tmp_path, text)] == [(1, "data"), (5, "demand.plan_mix.payg")]


def test_nothing_follows_from_a_neighbour_that_is_wrong_itself(tmp_path: Path) -> None:
    text = '[venture]\nname = "a"\n[data]\nsource = 5\n[plans.x]\nper_call = 3\n[demand]\ncalls_per_month = 1\n'
    text += "plan_mix = { x = 1.0 }\n"
    assert [p.path for p in problems_of(tmp_path, text)] == ["data.source", "plans.x.per_call"]


def test_a_slip_in_one_line_does_not_hide_the_others(tmp_path: Path) -> None:
    text = '[venture]\nname = shop\npurpose = "open\nus = 5\n[data]\nsource = 5\nlabels = ["a"]\n'
    found = problems_of(tmp_path, text)
    assert [(p.line, p.path) for p in found] == [
        (2, "`name = shop`"),
        (3, '`purpose = "open`'),
        (4, "venture.us"),
        (6, "data.source"),
    ]
    assert found[0].message == 'a value cannot be read; texts need quotes, like name = "shop"'
    assert found[1].message == 'a text is not closed; put a " at its end'
    assert found[2].suggestion == "use"


def test_a_list_that_is_not_closed_is_one_problem(tmp_path: Path) -> None:
    problem = only(tmp_path, MINIMAL + 'labels = ["a",\n "b"\n[model]\nepochs = "x"\n')
    assert problem.line == 7
    assert problem.message == "a list is not closed; a ',' or ']' is missing before this place"


def test_a_key_given_twice_is_named_at_its_second_place(tmp_path: Path) -> None:
    problem = only(tmp_path, '[venture]\nname = "a"\nname = "b"\n[data]\nsource = "x"\n')
    assert (problem.line, problem.message) == (3, "this key was given before; give it once")


def test_a_header_that_is_broken_does_not_give_its_keys_to_the_section_above(tmp_path: Path) -> None:
    problem = only(tmp_path, '[venture]\nname = "a"\n[data\nsource = "x"\n')
    assert (problem.line, problem.path) == (3, "`[data`")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'[venture]\nname = "caf\xe9"\n', 2),
        ('[venture]\nname = "shop"\n'.encode("utf-16"), 1),
        (b"\x00", 1),
        (b"a = " + b"9" * 5000, 1),
        (b"a = " + b"[" * 5000, 1),
        (b"#" * (1 << 21), 1),
    ],
)
def test_bytes_that_are_no_toml_are_a_problem_with_a_line(tmp_path: Path, content: bytes, line: int) -> None:
    assert problems_of(tmp_path, content)[0].line == line


def test_a_base_may_be_a_hub_id_or_a_folder_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "resnet").mkdir()
    for base in ("microsoft/resnet-50", "resnet", "./elsewhere", "cnn"):
        (tmp_path / "venture.toml").write_text(f'{MINIMAL}[model]\nbase = "{base}"\n')
        assert load_venture(tmp_path).file.all_models()["shop"].base == base


def test_several_models_are_each_checked(tmp_path: Path) -> None:
    text = MINIMAL + '[models.one]\nbase = "cnm"\n[models.two]\nbase = "cnn"\nimage_size = 2\n'
    assert [(p.line, p.path, p.suggestion) for p in problems_of(tmp_path, text)] == [
        (6, "models.one.base", "cnn"),
        (9, "models.two.image_size", None),
    ]


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("[model]\n[models.a]\n", "models", "not both"),
        ('[plans.a]\nper_call = "1 USD"\nmonthly = "3 USD"\n', "plans.a.per_call", "pay-per-use"),
        ('[plans.a]\nper_call = "1 USD"\nmonthly = "3 EUR"\n', "plans.a", "one currency"),
        ("[plans.a]\ndays = 3\n", "plans.a", "needs a price"),
        ('[plans.a]\nmonthly = "1.005 USD"\n', "plans.a.monthly", "smallest coin"),
        ('[plans.a]\nmonthly = "-1 USD"\n', "plans.a.monthly", "at least 0"),
        ('[plans.a]\nper_call = "1 DOLLAR"\n', "plans.a.per_call", "0.02 USD"),
        ('[costs]\npayment_fee = "290 %"\n', "costs.payment_fee", "0 % to 100 %"),
        ("[demand]\ncalls_per_month = 9\nplan_mix = { a = 0.7, b = 0.7 }\n", "demand.plan_mix", "at most 1"),
        ("[compress]\nmax_probability_difference = 0\n", "compress.max_probability_difference", "more than 0"),
        ('[[compress.step]]\nkind = "quantise"\n[compress]\nrecipe = []\n', "compress.recipe", "not both"),
        ('[model]\nmethod = "head"\nprecision = "bfloat16"\n', "model.precision", 'is for method = "full"'),
        ("[compress]\n[model.variants.small]\n", "compress", "would do nothing"),
        ("[compress]\n[models.a.variants.x]\n[models.b.variants.x]\n", "compress", "would do nothing"),
        ('[model.variants."../up"]\n', "model.variants.../up", "small letters"),
        ("[models.a.variants.Small]\n", "models.a.variants.Small", "[models.a.variants.NAME]"),
        ('[gates.waive]\nauroc = "short"\n', "gates.waive.auroc", "at least 8 characters"),
        ("[serving]\nmax_items = 0\n", "serving.max_items", "at least 1"),
    ],
)
def test_combinations_that_make_no_sense_are_refused(tmp_path: Path, text: str, path: str, words: str) -> None:
    found = problems_of(tmp_path, MINIMAL + text)
    assert found[0].path == path
    assert words in found[0].message


@pytest.mark.parametrize(
    ("lines", "path", "words"),
    [
        ('group = "("\n', "data.group", "regular expression"),
        ('labels = ["a", ""]\n', "data.labels[1]", "needs a name"),
        ('labels = ["a"]\n', "data.labels", "at least two"),
        ('labels = ["a", "b", "c"]\npositive = "a"\n', "data.positive", "between two labels"),
        ("val_fraction = 0.5\n", "data.val_fraction", "less than 0.5"),
        ('val = "x"\n', "data.val", "goes with separate"),
    ],
)
def test_data_settings_that_make_no_sense_are_refused(tmp_path: Path, lines: str, path: str, words: str) -> None:
    problem = only(tmp_path, MINIMAL + lines)
    assert problem.path == path
    assert words in problem.message


def test_the_error_carries_the_problems_for_machines_too(tmp_path: Path) -> None:
    (tmp_path / "venture.toml").write_text(MINIMAL + "[modle]\n")
    with pytest.raises(InvalidVenture) as caught:
        load_venture(tmp_path)
    error = caught.value
    assert error.details["problems"][0]["line"] == 5
    assert error.details["problems"][0]["suggestion"] == "model"
    assert error.problems[0].startswith("line 5: modle: unknown key; known here: venture, data, model")
    assert error.problems[0].endswith("did you mean 'model'?")
