"""Figures of all processes on one board, and as Prometheus reads them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from modelmint.api.board import BUCKETS, Board
from modelmint.api.metrics import escape, render

_LINE = re.compile(r'^(# (HELP|TYPE) .+|[a-z_]+(\{([a-z]+="(\\.|[^"\\])*",?)*\})? [0-9.e+-]+)$')


_COUNT = """
import sys
from pathlib import Path
from modelmint.api.board import Board
worker = int(sys.argv[2])
slot = Board(Path(sys.argv[1]), 2).slot(worker)
for _ in range(1000):
    slot.begin()
    slot.end(200 if worker else 404, 0.004)
"""


def test_each_process_writes_its_own_row_and_any_one_reads_all(tmp_path: Path) -> None:
    board = Board(tmp_path / "board", 2, create=True)
    processes = [subprocess.Popen([sys.executable, "-c", _COUNT, board.path, str(worker)]) for worker in range(2)]
    assert [process.wait(240) for process in processes] == [0, 0]
    rows = board.rows()
    assert [row.values["class_4xx"] for row in rows] == [1000, 0]
    assert [row.values["class_2xx"] for row in rows] == [0, 1000]
    assert [row.values["in_flight"] for row in rows] == [0, 0]
    assert all(row.buckets[BUCKETS.index(0.005)] == 1000 and sum(row.buckets) == 1000 for row in rows)


def test_a_new_process_keeps_the_counters_and_drops_what_was_the_former_ones_own(tmp_path: Path) -> None:
    slot = Board(tmp_path / "board", 1, create=True).slot(0)
    slot.started()
    slot.begin()
    slot.begin()
    slot.end(200, 20.0)
    slot.set("connections", 7)
    slot.started()
    assert [slot.get(name) for name in ("in_flight", "connections", "class_2xx", "starts")] == [0, 0, 1, 2]


def test_the_page_is_well_formed_and_its_histogram_adds_up(tmp_path: Path) -> None:
    board = Board(tmp_path / "board", 2, create=True)
    for seconds in (0.0005, 0.004, 0.004, 99.0):
        board.slot(1).begin()
        board.slot(1).end(200, seconds)
    counts = {("chest-xray", 200, "ok"): 3, ('we"ird\\\n', 404, "unknown_model"): 1}
    page = render(counts, board.rows(), {("m", "truth"): 2, ("m", "up"): 1}).decode()
    assert all(_LINE.match(line) for line in page.splitlines()), page
    assert 'modelmint_outcomes_total{model="chest-xray",status="200",code="ok"} 3' in page
    assert 'modelmint_outcomes_total{model="we\\"ird\\\\\\n",status="404",code="unknown_model"} 1' in page
    assert 'modelmint_predict_seconds_bucket{worker="1",le="0.005"} 3' in page
    assert 'modelmint_predict_seconds_bucket{worker="1",le="10.0"} 3' in page
    assert 'modelmint_predict_seconds_bucket{worker="1",le="+Inf"} 4' in page
    assert 'modelmint_predict_seconds_count{worker="1"} 4' in page


def test_label_values_are_escaped() -> None:
    assert escape('a"b\\c\nd') == 'a\\"b\\\\c\\nd'
