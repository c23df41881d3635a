"""The dataset card tells what is in a dataset version and what was left out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from modelmint.data.card import card, card_markdown
from modelmint.data.version import DatasetVersion

Frozen = Callable[..., DatasetVersion]


def test_the_card_counts_rows_by_split_and_label_and_findings_by_kind(
    tmp_path: Path, fill: Callable[..., None], frozen: Frozen
) -> None:
    fill(tmp_path / "in", {"cat": 20, "dog": 40})
    shutil.copy(tmp_path / "in/cat/003.png", tmp_path / "in/cat/copy|of`it.png")
    dataset = frozen(source="in", licence="CC0", group="(00.)")
    found = json.loads(json.dumps(card(dataset)))
    assert found["rows"] == dataset.counts
    assert sum(found["rows_by_label"][split]["dog"] for split in ("train", "val", "test")) == 40
    assert found["problems"] == [{"kind": "exact_duplicate", "action": "skipped", "rows": 1}]
    assert found["findings"][0]["other"] == "cat/003.png"
    assert found["facts"]["licence"] == "CC0"
    assert found["groups"] == 10
    text = card_markdown(dataset)
    assert f"| all | {dataset.counts['train']} |" in text
    assert "| exact_duplicate | the same picture twice in a split | skipped | 1 |" in text
    assert "`cat/copy\\|of'it.png` exact_duplicate, skipped" in text


def test_a_clean_dataset_says_so(frozen: Frozen) -> None:
    text = card_markdown(frozen(source="sklearn:digits"))
    assert text.endswith("## Findings\n\nNone.\n")
    assert "1,797 grey pictures, median 8 x 8 pixels" in text
