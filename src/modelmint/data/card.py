"""The dataset card: what a dataset version holds, as plain JSON and as Markdown."""

from __future__ import annotations

from collections import Counter
from typing import Any

from modelmint.data.types import SPLITS
from modelmint.data.version import DatasetVersion
from modelmint.kit.canonical import plain

#: Findings written out in Markdown; the JSON card and ``findings.jsonl`` hold all.
_SHOWN = 20
_MEANINGS = {
    "unreadable": "could not be read",
    "truncated": "ends early or is damaged",
    "not_an_image": "is no picture",
    "too_large": "has more pixels than allowed",
    "exact_duplicate": "the same picture twice in a split",
    "split_overlap": "the same picture, or group, in two splits",
    "contradicting_label": "the same picture under two labels",
    "imbalance": "one class has far more pictures than another",
    "empty_class": "a class without training pictures",
    "unknown_label": "no known label",
    "missing_file": "named, but not there",
    "outside_source": "leads out of the data source",
    "not_used": "not a part of the data",
    "near_duplicate": "nearly the same picture: resized, encoded anew or cropped",
    "split_shift": "pictures of one split are told from those of training",
    "corrected_label": "a label or a row changed by a reviewer's correction",
}


def card(dataset: DatasetVersion) -> dict[str, Any]:
    """Plain JSON: digest, labels, rows by split and label, pictures, facts, findings counted and in full."""
    by_label: dict[str, dict[str, int]] = {}
    for split in SPLITS:
        counts = Counter(row.label for row in dataset.rows(split))
        by_label[split] = {label: counts[place] for place, label in enumerate(dataset.labels)}
    kinds = Counter((finding.kind, finding.action) for finding in dataset.findings)
    return {
        "digest": dataset.digest,
        "labels": list(dataset.labels),
        "positive": dataset.positive,
        "rows": {split: dataset.counts[split] for split in SPLITS},
        "rows_by_label": by_label,
        "pictures": {"channels": dataset.channels, "median_width": dataset.sizes[0], "median_height": dataset.sizes[1]},
        "groups": len({row.group for split in SPLITS for row in dataset.rows(split)} - {None}),
        "facts": dict(sorted(dataset.facts.items())),
        "sha256": dict(sorted(dataset.files.items())),
        "shift": dataset.shift,
        "problems": [
            {"kind": kind, "action": action, "rows": number} for (kind, action), number in sorted(kinds.items())
        ],
        "findings": [plain(finding) for finding in dataset.findings],
    }


def card_markdown(dataset: DatasetVersion) -> str:
    """The card for people: tables of rows and of findings."""
    content = card(dataset)
    colour = "grey" if dataset.channels == 1 else "colour"
    lines = [
        "# Dataset card",
        "",
        f"Digest `{dataset.digest}`. {sum(dataset.counts.values()):,} {colour} pictures, "
        f"median {dataset.sizes[0]} x {dataset.sizes[1]} pixels.",
        "",
        *_table(
            ["label", *SPLITS],
            [
                *([label, *(content["rows_by_label"][split][label] for split in SPLITS)] for label in dataset.labels),
                ["all", *(dataset.counts[split] for split in SPLITS)],
            ],
        ),
        "",
        *(f"- {name.replace('_', ' ')}: {value}" for name, value in content["facts"].items()),
        "",
        "## Frozen files",
        "",
        *(f"- {name}: sha256 `{digest}`" for name, digest in content["sha256"].items()),
        "",
        *_shift_lines(content["shift"]),
        "## Findings",
        "",
    ]
    if not dataset.findings:
        return "\n".join([*lines, "None.", ""])
    problems = [[p["kind"], _MEANINGS.get(p["kind"], ""), p["action"], p["rows"]] for p in content["problems"]]
    lines += [*_table(["kind", "meaning", "what was done", "rows"], problems), ""]
    lines += [f"- `{_cell(f.name)}` {f.kind}, {f.action}: {f.message}" for f in dataset.findings[:_SHOWN]]
    if len(dataset.findings) > _SHOWN:
        lines.append(f"- and {len(dataset.findings) - _SHOWN:,} more in findings.jsonl")
    return "\n".join([*lines, ""])


def _shift_lines(shift: dict[str, Any]) -> list[str]:
    """How far val and test lie from train, as a table; nothing where that was not looked for."""
    if not shift:
        return []
    rows = []
    for split, one in shift["against_train"].items():
        auc, off = one["auc"], one["statistics"]["brightness"]
        told = (
            "too few rows"
            if auc is None
            else f"{auc['value']:.3f} [{auc['low']:.3f}, {auc['high']:.3f}], n = {auc['n']}"
        )
        brighter = "too few rows" if off is None else f"{off['value']:+.2f} [{off['low']:+.2f}, {off['high']:+.2f}]"
        rows.append([split, told, brighter])
    lead = "Telling a split's pictures from those of train; 0.5 means that they are alike. Brightness is 0 to 255."
    return ["## Shift", "", lead, "", *_table(["split", "area under the curve", "brighter by"], rows), ""]


def _table(head: list[str], rows: list[list[Any]]) -> list[str]:
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(_cell(str(cell)) for cell in row) + " |" for row in rows),
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("`", "'").replace("\n", " ")
