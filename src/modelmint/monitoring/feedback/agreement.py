"""What feedback comes to: shares with their intervals, overall and by release, model and label.

Agreement is the share of truths that equal the answer, with Wilson's 95 % interval. Answers that abstained claim
nothing, so they are counted apart. Whoever gives feedback chooses of what: it is no random sample, and the interval
speaks of chance alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from modelmint.evaluation.intervals import wilson
from modelmint.kit.estimate import Estimate
from modelmint.monitoring.feedback.repository import FeedbackBooks
from modelmint.monitoring.feedback.types import Part, Summary, Tally


def summary(books: FeedbackBooks, customer: str | None = None) -> Summary:
    """Of all feedback, or of one customer's."""
    tallies = books.tally(customer)
    rows, predictions, answered = books.totals(customer)
    confusion: dict[str, dict[str, int]] = {}
    for (truth, answer), n in sorted(books.confusion(customer).items()):
        confusion.setdefault(truth, {})[answer] = n
    releases = dict.fromkeys((tally.release, tally.model) for tally in tallies)
    return Summary(
        rows=rows,
        predictions=predictions,
        answered=answered,
        agreement=_agreement(tallies),
        thumbs_up=_thumbs(tallies),
        abstained=sum(tally.abstained for tally in tallies),
        unknown=sum(tally.unknown for tally in tallies),
        by_release=tuple(_part(tallies, release, model) for release, model in releases),
        by_label=tuple(_part([tally], tally.release, tally.model, tally.label) for tally in tallies if tally.label),
        confusion=confusion,
    )


def _part(tallies: Iterable[Tally], release: str, model: str, label: str | None = None) -> Part:
    own = [tally for tally in tallies if (tally.release, tally.model) == (release, model)]
    return Part(release, model, label, _agreement(own), _thumbs(own))


def _agreement(tallies: Sequence[Tally]) -> Estimate:
    return wilson(sum(tally.agreeing for tally in tallies), sum(tally.truths for tally in tallies))


def _thumbs(tallies: Sequence[Tally]) -> Estimate:
    up = sum(tally.up for tally in tallies)
    return wilson(up, up + sum(tally.down for tally in tallies))
