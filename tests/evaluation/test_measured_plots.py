"""Plots of any measured values: dots with intervals, a scatter with its front, a grid of heat."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelmint.evaluation.plots import Dot, Point, dots_svg, grid_svg, scatter_svg
from modelmint.evaluation.plots.axis import Axis, axis_around
from modelmint.evaluation.plots.grid import hottest
from modelmint.evaluation.plots.svg import ORANGE
from modelmint.kit.estimate import Estimate

SVG = "{http://www.w3.org/2000/svg}"
KEY = {"sold": "sold", "rejected": "rejected", "front": "front"}
HOSTILE = "<script>alert('&')</script>\x00"


def points(*rows: tuple[float, float]) -> list[Point]:
    return [
        Point(str(n), f"c{n}@x", Estimate(x, x * 0.9, x * 1.1, 40), Estimate(y, y - 0.01, y + 0.01, 99))
        for n, (x, y) in enumerate(rows, 1)
    ]


def circles(text: str) -> dict[str, tuple[float, float, str]]:
    """Title -> (x, y, fill) of the circles that carry one."""
    return {
        (element.findtext(f"{SVG}title") or ""): (
            float(element.get("cx") or 0),
            float(element.get("cy") or 0),
            element.get("fill") or "",
        )
        for element in ElementTree.fromstring(text).iter(f"{SVG}circle")
        if element.find(f"{SVG}title") is not None
    }


def within(text: str) -> None:
    root = ElementTree.fromstring(text)
    _, _, width, height = map(float, str(root.get("viewBox")).split())
    for element in root.iter():
        for name, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(element.get(name) or 0) <= most


@given(st.lists(st.tuples(st.floats(1e-4, 1e4), st.floats(0.02, 0.98)), min_size=1, max_size=12))
def test_a_scatter_keeps_order_and_stays_on_its_canvas(rows: list[tuple[float, float]]) -> None:
    text = scatter_svg(points(*rows), "t", "u", "d", ("x", "y"), KEY, "en")
    within(text)
    drawn = list(circles(text).items())
    assert len({title for title, _ in drawn}) == len(rows)
    for one, place in drawn:
        for other, there in drawn:
            mine, theirs = (float(title.split(": ")[1].split(" ")[0]) for title in (one, other))
            if mine < theirs * 0.99:
                assert place[0] <= there[0]


def test_equal_steps_on_the_logarithmic_axis_are_equal_ratios() -> None:
    axis = Axis(0.5, 50, 0, 200, log=True)
    assert axis.at(5) == pytest.approx(100)
    assert [text for _, text in axis.ticks(9)] == ["0.5", "1.0", "2.0", "5.0", "10.0", "20.0", "50.0"]
    assert [text for _, text in Axis(0.01, 1000, 0, 1, log=True).ticks(6)] == [
        "0.01",
        "0.10",
        "1.00",
        "10.00",
        "100.00",
        "1,000.00",
    ]


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_ticks_lie_on_the_axis_and_are_told_apart(low: float, span: float) -> None:
    axis = axis_around([low, low + span], 0, 100)
    ticks = axis.ticks(5)
    assert 1 <= len(ticks) <= 12
    assert len({text for _, text in ticks}) == len(ticks)
    slack = (axis.high - axis.low) * 1e-6
    assert all(axis.low - slack <= value <= axis.high + slack for value, _ in ticks)


def test_the_chosen_candidate_is_named_and_a_rejected_one_is_hollow() -> None:
    a, b = points((1, 0.9), (3, 0.95))
    chosen = Point(a.mark, a.label, a.x, a.y, chosen=True, front=True)
    hollow = Point(b.mark, b.label, b.x, b.y, hollow=True)
    text = scatter_svg([chosen, hollow], "t", "u", "d", ("x", "y"), KEY, "en")
    fills = {title.split(":")[0]: fill for title, (_, _, fill) in circles(text).items()}
    assert fills == {"c1@x": ORANGE, "c2@x": "#ffffff"}
    assert ">1 c1@x</text>" in text and ">2 c2@x</text>" not in text


def test_dots_stand_within_their_intervals_and_the_bounds() -> None:
    dots = [Dot("auroc", 0.97, 0.94, 0.99, "0.97"), Dot("accuracy", 1.0, 0.9, 1.0, "1.00", chosen=True)]
    text = dots_svg(dots, "t", "u", "d", "zh", bounds=(0.0, 1.0))
    within(text)
    root = ElementTree.fromstring(text)
    assert root.get("lang") == "zh"
    assert root.findtext(f"{SVG}desc") == "d auroc 0.97; accuracy 1.00"
    ticks = [element.text for element in root.iter(f"{SVG}text") if element.get("text-anchor") == "middle"]
    assert max(float(text or 0) for text in ticks) <= 1.0


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1, max_size=9))
def test_a_grid_shades_each_cell_by_its_value(values: list[list[float]]) -> None:
    text = grid_svg(values, "t", "d", "en")
    within(text)
    titles = [
        e.findtext(f"{SVG}title")
        for e in ElementTree.fromstring(text).iter(f"{SVG}rect")
        if e.find(f"{SVG}title") is not None
    ]
    assert titles == [f"{i}, {j}: {v:.2f}" for i, row in enumerate(values, 1) for j, v in enumerate(row, 1)]


def test_a_grid_says_where_it_is_hottest() -> None:
    assert hottest([[0.1, 0.9], [0.5, 0.2]]) == "1, 2: 0.90; 2, 1: 0.50; 2, 2: 0.20"


def test_hostile_names_stay_text_and_no_plot_has_a_style() -> None:
    one = points((1, 0.5), (2, 0.6))
    named = [Point(HOSTILE, HOSTILE, p.x, p.y, chosen=True) for p in one]
    for text in (
        scatter_svg(named, HOSTILE, HOSTILE, HOSTILE, (HOSTILE, HOSTILE), dict.fromkeys(KEY, HOSTILE), "en"),
        dots_svg([Dot(HOSTILE, 1, 0, 2, HOSTILE)], HOSTILE, HOSTILE, HOSTILE, "en"),
        grid_svg([[0.5]], HOSTILE, HOSTILE, "en"),
    ):
        ElementTree.fromstring(text)
        assert "<script" not in text and " style=" not in text
