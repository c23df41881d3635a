"""The model card as Markdown, with the YAML head that model hubs read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from modelmint.evaluation.gates import found_text
from modelmint.evaluation.types import Scorecard
from modelmint.kit.estimate import Estimate
from modelmint.releases.dossier import limits, shapes
from modelmint.releases.dossier.order import ordered
from modelmint.releases.dossier.types import Cost, Dossier, Missing, ModelFacts, Stated
from modelmint.releases.dossier.words import Say

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def card_markdown(found: Dossier, language: str = "en") -> str:
    """The whole card; raises ``UnknownReportLanguage``. Text of the founder is escaped, so it stays text."""
    say = Say(language)
    lines = [*_head(found), f"# {_text(found.founder.name)}", ""]
    lines += _said(found.founder.purpose, say("missing.purpose"))
    if found.founder.use:
        lines += [f"**{say('notice')}: {_text(found.founder.use)}**", ""]
    for model in found.models:
        if len(found.models) > 1:
            lines += [f"# {_text(model.name)}", ""]
        lines += [*_details(found, model, say), *_use(found, model, say), *_results(model, say), *_price(model, say)]
    lines += [*_data(found, say), *_origin(found, say)]
    return "\n".join(lines).rstrip() + "\n"


def _head(found: Dossier) -> Iterator[str]:
    """YAML, in which JSON text is a valid scalar."""
    weights = sorted({licence for what, licence in found.licences.items() if what.startswith("weights")})
    yield "---"
    yield "library_name: onnx"
    yield f"license: {_scalar(weights[0].lower() if len(weights) == 1 else 'other')}"
    for task in sorted({model.task for model in found.models}):
        yield f"pipeline_tag: {_scalar(task)}"
        break
    yield f"tags: {_scalar(['modelmint', 'onnx', *sorted({model.backbone for model in found.models})])}"
    yield "model-index:"
    for model in found.models:
        yield f"- name: {_scalar(model.name)}"
        yield "  results:"
        yield f"  - task: {_scalar({'type': model.task})}"
        dataset = {
            "type": found.data.digest[:12],
            "name": found.data.facts.get("family", found.founder.name),
            "split": "test",
        }
        yield f"    dataset: {_scalar(dataset)}"
        metrics = model.card.metrics if isinstance(model.card, Scorecard) else {}
        yield f"    metrics:{'' if metrics else ' []'}"
        for name, value in ordered(metrics):
            yield f"    - {_scalar({'type': name, 'value': value.value})}"
    yield from ("---", "")


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: str) -> str:
    """One line in which nothing is markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(value.split()))


def _said(text: str, otherwise: str) -> list[str]:
    return [_text(text) if text else f"*{otherwise}*", ""]


def _gap(say: Say, what: Missing) -> list[str]:
    fill = f" {say('missing.fill', command=f'`{what.command}`')}" if what.command else ""
    return [f"*{say('missing')}: {say(what.why)}*{fill}", ""]


def _list(items: Sequence[str]) -> list[str]:
    return [*(f"- {item}" for item in items), ""]


def _sentences(say: Say, found: Sequence[limits.Sentence]) -> list[str]:
    return [_text(say(key, **values)) for key, values in found]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows), ""]


def _details(found: Dossier, model: ModelFacts, say: Say) -> list[str]:
    variant = model.variants[model.default]
    size = say("card.variant_text", precision=variant.precision, size=shapes.count(variant.size_bytes), default="")
    facts = [
        (say("card.task"), say.either(f"card.task.{model.task}", model.task)),
        (say("card.labels"), ", ".join(model.labels)),
        (say("card.backbone"), model.backbone),
        (say("card.variant"), size),
        (say("release"), found.id),
        (say("made_with"), say("modelmint", version=found.made_with) if found.made_with else say("not_stated")),
    ]
    return [f"## {say('card.details')}", "", *_list([f"{name}: {_text(value)}" for name, value in facts])]


def _use(found: Dossier, model: ModelFacts, say: Say) -> list[str]:
    founder = found.founder
    waived = [_text(say("limit.waived", gate=gate, reason=reason)) for gate, reason in found.waivers.items()]
    groups = say("card.groups", groups=shapes.count(found.data.groups)) if found.data.groups else say("card.no_groups")
    return [
        f"## {say('card.intended')}", "",
        *_said(f"{say('card.users')}: {founder.users}" if founder.users else "", say("missing.users")),
        f"## {say('card.tested_on')}", "",
        *_said(founder.tested_on, say("missing.tested_on")), groups, "",
        f"## {say('card.limits')}", "",
        *_list([*map(_text, founder.limits), *_sentences(say, limits.limits(model)), *waived]),
        f"## {say('card.scope')}", "",
        *_list([*map(_text, founder.out_of_scope), *_sentences(say, limits.scope(model, founder))]),
        f"## {say('card.decision')}", "",
        *_list(_sentences(say, limits.rule(model))),
        *([f"{say('card.contact')}: {_text(founder.contact)}", ""] if founder.contact else []),
    ]  # fmt: skip


def _results(model: ModelFacts, say: Say) -> list[str]:
    lines = [f"## {say('section.metrics')}", ""]
    if not isinstance(model.card, Scorecard):
        return [*lines, *_gap(say, model.card)]
    rows = sum(map(sum, model.card.confusion))
    lines += [say("measured.test", n=shapes.count(rows), reads=model.test_reads), ""]
    head = [say("metric"), say("metric.value"), say("metric.interval"), say("metric.n")]
    lines += _table(head, [_metric(name, value, say) for name, value in ordered(model.card.metrics)])
    lines += [f"## {say('section.gates')}", ""]
    if not isinstance(model.gates, Stated):
        return [*lines, *_gap(say, model.gates)]
    verdicts = [
        [
            _text(say.either(f"gate.{gate.name}", say.either(f"metric.{gate.name}", gate.name))),
            _text(gate.wanted),
            say("gates.unmeasured") if gate.found is None else found_text(gate),
            say("gates.passed") if gate.passed else _failed(gate.waived, say),
        ]
        for gate in model.gates.what
    ]
    names = [say(f"gates.{name}") for name in ("gate", "wanted", "found", "verdict")]
    return [*lines, *(_table(names, verdicts) if verdicts else [say("gates.none"), ""])]


def _failed(waived: str | None, say: Say) -> str:
    return f"{say('gates.failed')}, {_text(say('gates.waived', reason=waived))}" if waived else say("gates.failed")


def _metric(name: str, found: Estimate, say: Say) -> list[str]:
    label = _text(say.either(f"metric.{name}", name))
    return [label, shapes.score(found.value), shapes.interval(found), shapes.count(found.n)]


def _price(model: ModelFacts, say: Say) -> list[str]:
    lines = [f"## {say('section.cost')}", ""]
    if not isinstance(model.cost, Stated):
        return [*lines, *_gap(say, model.cost)]
    cost, source = model.cost.what, model.cost.source
    rows = [[say(f"cost.{name}"), shapes.priced(name, value, cost.currency)] for name, value in cost.figures.items()]
    rows.append([say("cost.monthly_value"), _worth(cost, say)])
    measured = say(
        "measured.machine",
        hardware=source.hardware or say("unknown_machine"),
        machine=source.machine[:8],
        at=shapes.moment(source.made_at),
        signer=say(f"signer.{source.signed_by}"),
    )
    return [
        *lines,
        _text(measured),
        "",
        *_table([say("cost.figure"), say("cost.amount")], rows),
        _text(say.told(cost.why)),
        "",
    ]


def _worth(cost: Cost, say: Say) -> str:
    value = cost.monthly_value
    if value is None:
        return say("cost.not_computable")
    return f"{shapes.money(value.value)} {cost.currency} [{shapes.money(value.low)}, {shapes.money(value.high)}]"


def _data(found: Dossier, say: Say) -> list[str]:
    data = found.data
    lines = [f"## {say('section.data')}", "", say("measured.data", digest=data.digest[:12]), ""]
    splits = ("train", "val", "test")
    if not data.by_label:
        return [*lines, f"*{say('missing')}: {say('missing.by_label')}*", ""]
    labels = next(iter(data.by_label.values()))
    rows = [[_text(label), *(shapes.count(data.by_label[split].get(label, 0)) for split in splits)] for label in labels]
    lines += _table([say("data.label"), *(say(f"split.{split}") for split in splits)], rows)
    facts = [(say.either(f"data.facts.{name}", name), say.told(value)) for name, value in data.facts.items()]
    return [*lines, *_list([f"{_text(name)}: {_text(value)}" for name, value in facts])]


def _origin(found: Dossier, say: Say) -> list[str]:
    licences = [f"{_text(say.licensed(what))}: {_text(say.told(licence))}" for what, licence in found.licences.items()]
    lines = [f"## {say('lineage.licences')}", "", *_list(licences)]
    if found.damage:
        damaged = [f"`{one.path}`: {say.either(f'damage.{one.kind}', one.kind)}" for one in found.damage]
        lines += [f"## {say('lineage.damage')}", "", *_list(damaged)]
    return [*lines, say("card.source"), ""]
