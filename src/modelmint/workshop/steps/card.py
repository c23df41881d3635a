"""The README inside a release: what it is, for a person who finds the folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelmint.releases.types import Manifest


def release_readme(manifest: Manifest, cards: Mapping[str, Mapping[str, Any]]) -> str:
    """Markdown; content only, so no time, cost or machine stands in it."""
    venture = manifest.venture
    lines = [f"# {venture['name']}", ""]
    if venture.get("purpose"):
        lines += [f"Purpose: {venture['purpose']}.", ""]
    if venture.get("use"):
        lines += [f"**{venture['use']}**", ""]
    for name, model in manifest.models.items():
        variant = model.variants[model.default]
        lines += [
            f"## {name}",
            "",
            f"{model.spec.task} of {', '.join(model.spec.labels)}; backbone {model.backbone}; {variant.precision}, "
            f"{variant.size_bytes:,} bytes.",
            "",
            f"On the test split (read {model.test_reads} time{'' if model.test_reads == 1 else 's'} so far):",
            "",
            "| metric | value | 95 % interval | n |",
            "|---|---|---|---|",
        ]
        for metric, found in cards[name]["metrics"].items():
            lines.append(
                f"| {metric} | {found['value']:.4f} | {found['low']:.4f} to {found['high']:.4f} | {found['n']} |"
            )
        lines.append("")
    lines += ["## Licences", ""]
    lines += [f"- {what}: {licence}" for what, licence in sorted(manifest.licences.items())]
    if manifest.waivers:
        lines += ["", "## Waived gates", ""]
        lines += [f"- {gate}: {reason}" for gate, reason in sorted(manifest.waivers.items())]
    rows = ", ".join(f"{split} {count}" for split, count in manifest.dataset.get("rows", {}).items())
    lines += ["", f"Dataset {manifest.dataset['digest']}: {rows}.", ""]
    lines += ["Serve it: `modelmint serve`. Check it: `modelmint releases verify`.", ""]
    return "\n".join(lines)
