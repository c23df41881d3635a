"""What gates and the candidates table say of a load test that kept no limit."""

from __future__ import annotations

from dataclasses import replace

from modelmint.evaluation.gates import check
from modelmint.inference.types import Timing
from modelmint.kit.estimate import Estimate
from modelmint.market.value import Market, cost_statement
from modelmint.serving.types import LoadPoint, LoadResult
from modelmint.venture.sections.gates import GatesSection
from modelmint.venture.sections.money import CostsSection, MachineSection
from modelmint.workshop.appraise import Appraisal, found_figures
from modelmint.workshop.report import candidate_row, cost_body
from modelmint.workshop.types import Candidate, Choice

FLAT = Estimate(1.0, 0.9, 1.1, 40)
CANDIDATE = Candidate(
    name="int8", engine="onnxruntime", recipe=(), precision="int8", graph="g", graph_digest="d", size_bytes=10,
    parent=None, timing=Timing(FLAT, FLAT, FLAT, 2, 0.0, False),
)  # fmt: skip
SLOW, FAILING = LoadPoint(4, 900, 300.0, 20.0, 80.0, 1.5, 0), LoadPoint(8, 50, 20.0, 1.0, 2.0, 1.5, 7)
EMPTY = LoadPoint(16, 0, 0.0, 0.0, 0.0, 0.0, 0)


def load(*points: LoadPoint, best: LoadPoint | None = None) -> LoadResult:
    return LoadResult(points, best, 50.0, 1, "onnxruntime", 2, 0.2, 0.0, 5.0)


def appraisal(found: LoadResult) -> Appraisal:
    market = Market(None, CostsSection(), MachineSection(name="2 vCPU cloud"), None, None)
    cost = cost_statement(market, found, Estimate(0.1, 0.0, 0.2, 50), 0.0)
    key = CANDIDATE.key
    return Appraisal(CANDIDATE, Choice(key, "only one"), (), {key: cost}, {key: found}, {}, {}, 1)


def passed(found: LoadResult) -> dict[str, bool]:
    bounds = GatesSection.model_validate({"p99_ms": "<= 50", "p50_ms": "<= 50"}).bounds()
    cost = appraisal(found).costs[CANDIDATE.key]
    return {gate.name: gate.passed for gate in check(bounds, found_figures(CANDIDATE, {}, cost, found, {}), {})}


def test_levels_whose_calls_failed_pass_no_gate_on_times() -> None:
    assert passed(load(FAILING, EMPTY)) == {"p99_ms": False, "p50_ms": False}
    assert passed(load(FAILING, EMPTY, best=FAILING)) == {"p99_ms": False, "p50_ms": False}
    assert passed(load(FAILING, SLOW, EMPTY)) == {"p99_ms": False, "p50_ms": True}  # of the one that was measured


def test_a_candidate_outside_the_p99_limit_says_so_and_shows_what_was_measured() -> None:
    found = appraisal(load(SLOW, FAILING))
    row = candidate_row(CANDIDATE, found)
    assert row["note"] == (
        "no rate: no level of load kept p99 within 50 ms; nearest were 4 clients with p50 20 ms, p99 80 ms, 300 calls/s"
    )
    assert row["calls_per_second"] is None
    body = cost_body(CANDIDATE, found)
    assert (body["clients"], body["p50_ms"], body["p99_ms"], body["server_cpu_ms"]) == (4, 20.0, 80.0, 1.5)
    assert body["calls_per_second"] is None
    assert body["machine"] == "2 vCPU cloud"


def test_a_load_test_without_one_whole_level_says_that_calls_failed() -> None:
    row = candidate_row(CANDIDATE, appraisal(load(FAILING, EMPTY)))
    assert row["note"] == "no rate: at every level of load calls failed or none came back"


def test_a_candidate_within_the_limit_needs_no_note() -> None:
    fast = LoadPoint(4, 900, 300.0, 20.0, 40.0, 1.5, 0)
    assert candidate_row(CANDIDATE, appraisal(load(fast, best=fast)))["note"] is None


def test_a_load_test_that_stayed_disturbed_says_how_busy_other_programs_were() -> None:
    fast = LoadPoint(4, 900, 300.0, 20.0, 40.0, 1.5, 0)
    noisy = replace(load(fast, best=fast), load=1.26)
    assert candidate_row(CANDIDATE, appraisal(noisy))["note"] == (
        "load-tested while other programs kept 1.3 cores busy"
    )
