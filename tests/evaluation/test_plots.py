from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from modelmint.evaluation import plots
from modelmint.evaluation.calibrate import fit_decision
from modelmint.evaluation.errors import UnknownReportLanguage
from modelmint.evaluation.judge import scorecard
from modelmint.evaluation.types import Scorecard
from modelmint.evaluation.words import WORDS
from modelmint.tasks.types import DecisionRule

PLOTS = [plots.roc_svg, plots.reliability_svg, plots.confusion_svg]


def card(labels: tuple[str, ...], positive: str | None = None, n: int = 200) -> Scorecard:
    rng = np.random.default_rng(0)
    targets = rng.integers(0, len(labels), n)
    logits = rng.normal(size=(n, len(labels)))
    logits[np.arange(n), targets] += 2
    decision = fit_decision(targets, logits, labels, positive, 0.1)
    return scorecard(targets, logits, labels, decision, "test", resamples=50)


CARDS = {
    "two": card(("normal", "pneumonia"), "pneumonia"),
    "ten": card(tuple("0123456789")),
    "sixty": card(tuple(f"class with a long name {i}" for i in range(60)), n=900),
    "odd": card(("<script>alert('&')</script>", '正常"\x00'), None),
    "one row": scorecard(np.array([0]), np.array([[1.0, 0.0]]), ("a", "b"), DecisionRule(), "val", resamples=10),
}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", list(CARDS))
@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.__name__)
def test_a_plot_is_well_formed_titled_and_asks_for_nothing_outside(plot, name: str, lang: str) -> None:  # type: ignore[no-untyped-def]  # parametrised
    text = plot(CARDS[name], lang)
    root = ElementTree.fromstring(text)
    tags = [element.tag.removeprefix("{http://www.w3.org/2000/svg}") for element in root]
    assert tags[:2] == ["title", "desc"]
    assert root.get("role") == "img"
    assert root.get("lang") == lang
    assert "<script" not in text
    assert not re.search(r"(href|src|url\(|@import|@font-face)", text)
    assert text.count("http") == 1  # the name space


@pytest.mark.parametrize("plot", PLOTS, ids=lambda plot: plot.__name__)
def test_nothing_is_drawn_outside_the_canvas(plot) -> None:  # type: ignore[no-untyped-def]  # parametrised
    for found in CARDS.values():
        root = ElementTree.fromstring(plot(found, "en"))
        _, _, width, height = map(float, str(root.get("viewBox")).split())
        for element in root.iter():
            for name, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
                assert 0 <= float(element.get(name) or 0) <= most


def test_plots_tell_their_figures() -> None:
    two = CARDS["two"]
    assert f"AUROC {two.metrics['auroc'].value:.4f}" in plots.roc_svg(two)
    assert f"{two.decision.threshold:.3f}" in plots.roc_svg(two)
    assert f"ECE {two.metrics['ece'].value:.4f}" in plots.reliability_svg(two)
    for row in two.confusion:
        for count in row:
            assert f">{count}<" in plots.confusion_svg(two)
    assert "one class only" in plots.roc_svg(CARDS["one row"])
    assert "混淆矩阵" in plots.confusion_svg(two, "zh")


def test_both_languages_say_everything() -> None:
    assert set(WORDS["en"]) == set(WORDS["zh"])
    assert not {key for key in WORDS["en"] if WORDS["en"][key] == WORDS["zh"][key]}


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UnknownReportLanguage, match="en, zh"):
        plots.roc_svg(CARDS["two"], "de")
