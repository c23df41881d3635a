"""The sentences of a model card that follow from what was measured: limits, scope, the decision rule.

Each is a key of the words with its values, so that both languages say the same. Nothing here is an opinion: where a
fact is not known its sentence is left out, or says that it is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from modelmint.evaluation.types import Scorecard
from modelmint.releases.dossier import shapes
from modelmint.releases.dossier.types import ModelFacts, Words

#: A key of the words, and what is filled in.
Sentence = tuple[str, dict[str, Any]]


def limits(model: ModelFacts) -> list[Sentence]:
    """What the measurements say about where the model fails or was not looked at."""
    found: list[Sentence] = [
        ("limit.labels", {"number": len(model.labels)}),
        ("limit.own" if model.own else "limit.source", {}),
    ]
    if isinstance(model.card, Scorecard):
        found += _mistakes(model.card)
        found += _smallest(model.card)
        found += _open(model, model.card)
    if (drop := model.drops.get("accuracy_drop")) is not None:
        found.append(("limit.compressed", {"drop": f"{drop * 100:.2f}".replace("-", "−")}))
    if model.test_reads > 1:
        found.append(("limit.reads", {"reads": model.test_reads}))
    return found


def _mistakes(card: Scorecard) -> Iterator[Sentence]:
    accuracy = card.metrics.get("accuracy")
    if accuracy is None:
        return
    right = sum(row[place] for place, row in enumerate(card.confusion))
    rows = sum(map(sum, card.confusion))
    if right == rows:
        yield "limit.no_mistakes", {"n": shapes.count(rows), "most": shapes.share(1 - accuracy.low)}
        return
    yield (
        "limit.wrong",
        {
            "wrong": shapes.count(rows - right),
            "n": shapes.count(rows),
            "share": shapes.share((rows - right) / rows),
            "low": shapes.share(1 - accuracy.high),
            "high": shapes.share(1 - accuracy.low),
        },
    )
    count, i, j = max((count, -i, -j) for i, row in enumerate(card.confusion) for j, count in enumerate(row) if i != j)
    total = sum(card.confusion[-i])
    yield (
        "limit.pair",
        {
            "truth": card.labels[-i],
            "answer": card.labels[-j],
            "count": shapes.count(count),
            "rows": shapes.count(total),
            "share": shapes.share(count / total),
        },
    )


def _smallest(card: Scorecard) -> Iterator[Sentence]:
    supports = [(one.support, one.label) for one in card.classes if one.support]
    if supports:
        n, label = min(supports)
        yield "limit.smallest", {"label": label, "n": shapes.count(n)}


def _open(model: ModelFacts, card: Scorecard) -> Iterator[Sentence]:
    rule, left = model.decision, card.metrics.get("abstained")
    if rule.abstain_low is None and rule.min_probability is None:
        yield "limit.never_abstains", {}
    elif left is not None:
        figures = {"share": left.value, "low": left.low, "high": left.high}
        yield "limit.abstains", {name: shapes.share(value) for name, value in figures.items()}


def scope(model: ModelFacts, founder: Words) -> list[Sentence]:
    """Uses that nothing measured speaks for."""
    found: list[Sentence] = [("scope.notice", {"use": founder.use})] if founder.use else []
    return [*found, ("scope.labels", {"labels": ", ".join(model.labels)}), ("scope.other", {})]


def rule(model: ModelFacts) -> list[Sentence]:
    """How a probability becomes an answer."""
    decision = model.decision
    found: list[Sentence] = []
    if decision.threshold is not None and decision.positive is not None:
        found.append(("rule.threshold", {"positive": decision.positive, "threshold": f"{decision.threshold:.4g}"}))
    else:
        found.append(("rule.argmax", {}))
    if decision.abstain_low is not None and decision.abstain_high is not None:
        low, high = f"{decision.abstain_low:.4g}", f"{decision.abstain_high:.4g}"
        found.append(("rule.band", {"positive": decision.positive or "", "low": low, "high": high}))
    if decision.min_probability is not None:
        found.append(("rule.minimum", {"minimum": f"{decision.min_probability:.4g}"}))
    return [*found, ("rule.temperature", {"temperature": f"{decision.temperature:.4g}"}), ("rule.fitted", {})]
