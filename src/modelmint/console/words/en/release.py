"""The page of a release; its sections bring their own words (releases/dossier/words)."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "nav.release": "Release",
    "release.lead": "What is sold: how well it does, what it costs, what it looks at, where it comes from. Every "
    "figure was measured.",
    "release.none": "Nothing was built yet. A release is made by:",
    "release.report": "Open the report",
    "release.save": "Save as HTML",
    "release.pdf": "Save as PDF",
    "release.parts": "Sections",
    "release.shelf": "All releases",
    "release.made_at": "Made",
    "release.serves": "Served as",
    "release.more": "{count} older ones are not listed; open one by its id.",
    "release.broken": "A release on the shelf is broken: {what}",
    "problem.release_not_found": "There is no such release",
    "problem.ambiguous_release": "More than one release begins like this",
    "problem.damaged_release": "This release is not what it was",
}
