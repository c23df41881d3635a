"""What can go wrong while judging."""

from __future__ import annotations

from modelmint.kit.errors import InvalidInput


class NothingToJudge(InvalidInput):
    """A judgement over no rows."""

    code = "nothing_to_judge"


class BadScores(InvalidInput):
    """Targets, logits and labels that do not belong together, or are not numbers."""

    code = "bad_scores"


class UnknownReportLanguage(InvalidInput):
    """A language that plots and tables are not written in."""

    code = "unknown_report_language"
