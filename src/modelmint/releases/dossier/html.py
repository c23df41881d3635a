"""The sections of a dossier as HTML: one markup for the console page, the report and the PDF.

Classes are those of the console's style sheet; the report brings its own. No style attribute, no script, no address.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from modelmint.evaluation.gates import found_text
from modelmint.evaluation.types import Scorecard
from modelmint.releases.dossier import limits, pictures, shapes
from modelmint.releases.dossier.order import ordered
from modelmint.releases.dossier.types import Case, Dossier, Missing, ModelFacts
from modelmint.releases.dossier.words import Say

#: Where a picture of a case lies: (model, case, "picture" or "heat") -> address; None shows none.
Place = Callable[[str, Case, str], str | None]
#: Sections of each model in their order; each a template and a word.
OF_MODEL = ("card", "metrics", "candidates", "gates", "cost", "explained")


def sections(found: Dossier, language: str, place: Place) -> list[tuple[str, str, str]]:
    """(anchor, title, markup) of each section in the order in which they are read.

    Raises ``UnknownReportLanguage``.
    """
    say = Say(language)
    shown = [_section("glance", found, None, say, place)]
    for model in found.models:
        for name in OF_MODEL:
            shown.append(_section(name, found, model, say, place))
            if name == "card" and model is found.models[0]:
                shown.append(_section("data", found, None, say, place))
    return [*shown, _section("lineage", found, None, say, place)]


def _section(name: str, found: Dossier, model: ModelFacts | None, say: Say, place: Place) -> tuple[str, str, str]:
    title, anchor = say(f"section.{name}"), name
    if model is not None and len(found.models) > 1:
        title, anchor = say("section.of", section=title, model=model.name), f"{model.name}-{name}"
    values = {"dossier": found, "model": model, "say": say, "anchor": anchor, "title": title, "place": place}
    return anchor, title, environment().get_template(f"{name}.html").render(values)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Templates of this room with the shapes as filters."""
    made = Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        score=lambda value: shapes.data(value, shapes.score),
        figure=lambda value: shapes.data(value, shapes.figure),
        money=lambda value: shapes.data(value, shapes.money),
        count=lambda value: shapes.data(value, shapes.count),
        share=lambda value: shapes.data(value, shapes.share),
        moment=shapes.moment,
        written=shapes.figure,
        counted=shapes.count,
        coins=shapes.money,
        percent=shapes.share,
    )
    made.tests.update(missing=lambda value: isinstance(value, Missing), scored=lambda v: isinstance(v, Scorecard))
    made.globals.update(
        limits=limits,
        pictures=pictures,
        headline=headline,
        card_rows=lambda card: sum(map(sum, card.confusion)),
        found_text=found_text,
        priced=shapes.priced,
        ordered=ordered,
    )
    return made


def headline(model: ModelFacts) -> list[tuple[str, Any]]:
    """The metrics that stand first: AUROC and accuracy, and what a positive label adds."""
    if not isinstance(model.card, Scorecard):
        return []
    wanted = ("auroc", "accuracy", "sensitivity", "specificity")
    return [(name, model.card.metrics[name]) for name in wanted if name in model.card.metrics]


def _template(name: str) -> str:
    return files("modelmint.releases.dossier").joinpath("templates", name).read_text(encoding="utf-8")
