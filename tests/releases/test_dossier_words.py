"""The words of the dossier: both languages complete, and what a build writes in English said in Chinese."""

from __future__ import annotations

import ast
import dataclasses
import re
from decimal import Decimal
from pathlib import Path
from string import Formatter

import pytest

import modelmint.releases.dossier
from modelmint.evaluation.words import WORDS as PLOT_WORDS
from modelmint.releases.dossier.words import WORDS, Say
from modelmint.releases.dossier.words.told import told

SOURCE = Path(modelmint.releases.dossier.__file__).parent
CHINESE = re.compile("[一-鿿]")


def test_both_languages_hold_the_same_keys_and_values() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    for key, english in WORDS["en"].items():
        names = {field for _, field, _, _ in Formatter().parse(english) if field}
        assert names == {field for _, field, _, _ in Formatter().parse(WORDS["zh"][key]) if field}, key


def test_no_key_of_a_language_is_written_twice() -> None:
    for language in WORDS:
        keys = [
            key.value
            for path in (SOURCE / "words" / language).glob("*.py")
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Dict)
            for key in node.keys
            if isinstance(key, ast.Constant)
        ]
        assert sorted(keys) == sorted(set(keys))


def test_chinese_words_are_chinese() -> None:
    plain = {key for key, text in WORDS["zh"].items() if not CHINESE.search(text)}
    marks = {"colon", "comma"}
    assert plain <= {"modelmint", "explained.case_right", "glance.gates", "section.of", "candidates.number"} | marks


def test_every_key_that_a_template_or_function_names_has_its_words() -> None:
    named: set[str] = set()
    for path in [*SOURCE.glob("templates/*.html"), *SOURCE.glob("*.py")]:
        named |= set(re.findall(r"\bsay\(\s*[\"']([\w.]+)[\"']\s*[,)]", path.read_text()))
        named |= set(re.findall(r"[\"'](missing\.\w+|(?:limit|rule|scope)\.\w+)[\"']", path.read_text()))
    assert len(named) > 100
    assert named - WORDS["en"].keys() - {"missing."} == set()


def test_a_split_has_the_name_that_plots_give_it() -> None:
    for language in WORDS:
        for split in ("train", "val", "test"):
            assert Say(language)(f"split.{split}") == PLOT_WORDS[language][split]


WRITTEN = [
    ("all calls come through the plan payg", "全部调用来自套餐 payg"),
    ("0.3 of all calls are in no plan and bring nothing", "全部调用的 0.3 不属于任何套餐，没有收入"),
    ("a@b is chosen: it is the only candidate inside the gates.", "达标的候选中只有 a@b 一个候选，故入选。"),
    (
        "a@b is chosen: it has the lowest CPU time a call among those that fail only 2 of the gates on validation, "
        "1.2 ms against 3.4 ms of c@d.",
        "a@b 入选：在验证集上只有 2 项不达标的候选中它的每次调用的 CPU 时间最优，1.2 毫秒，c@d 为 3.4 毫秒。",
    ),
    (
        "val (15%) cut from train by class and by group, seed 3",
        "由训练集按类别并保持分组完整划出：验证集 (15%)，随机种子 3",
    ),
    (
        "not measurably cheaper than onnx-fp32@onnxruntime: 1.2 ms CPU a call [1.1, 1.3] against 1.25 [1.2, 1.3]",
        "未测出比 onnx-fp32@onnxruntime 更省：每次调用 CPU 1.2 毫秒 [1.1, 1.3]，后者 1.25 [1.2, 1.3]",
    ),
    (
        "no rate: no level of load kept p99 within 50 ms; nearest were 8 clients with p50 30 ms, p99 61.2 ms, "
        "90 calls/s; load-tested while other programs kept 0.9 cores busy",
        "没有速率：没有一档负载把 p99 控制在 50 毫秒以内；最接近的是 8 个调用方，p50 30 毫秒，p99 61.2 毫秒，"
        "每秒 90 次；负载测试期间其他程序占用 0.9 个核",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("english", "chinese"), WRITTEN, ids=[english[:40] for english, _ in WRITTEN])
def test_what_a_build_wrote_is_said_in_chinese(english: str, chinese: str) -> None:
    assert told(english) == chinese
    assert Say("en").told(english) == english


def test_an_unknown_sentence_is_left_as_it_was_written() -> None:
    assert told("a plugin said something; else") == "a plugin said something; else"
    assert told("x" * 100_000) == "x" * 100_000


def test_every_sentence_of_the_pricing_is_known() -> None:
    """Walks the real code: what it assumes where nothing is stated."""
    from modelmint.kit.estimate import Estimate
    from modelmint.market.value import Market, cost_statement
    from modelmint.serving.types import LoadPoint, LoadResult
    from modelmint.venture.sections.money import CostsSection, DemandSection, MachineSection

    point = LoadPoint(1, 100, 50.0, 5.0, 9.0, 2.0, 0)
    load = LoadResult((point,), point, None, 2, "onnxruntime", 1, 0.1, 0.0, 1.0)
    market = Market(DemandSection(calls_per_month=1000), CostsSection(), MachineSection(), None, None, Decimal("0.5"))
    said = cost_statement(market, load, Estimate(0.1, 0.05, 0.2, 100), 0.0)
    bare = cost_statement(dataclasses.replace(market, demand=None), None, Estimate(0.1, 0.05, 0.2, 100), 0.0)
    sentences = {*said.assumptions, *said.missing, *bare.missing}
    assert len(sentences) >= 9
    assert {sentence for sentence in sentences if told(sentence) == sentence} == set()
