"""What a month will earn under other demand, prices and plans, from what was measured; moving as the sliders move."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.routing import Route

from modelmint.console.answers import Answer, Asked, Page
from modelmint.console.earn_chart import plot
from modelmint.console.earn_form import SENT, EarnForm
from modelmint.console.errors import BadForm
from modelmint.console.page import Console, page
from modelmint.console.problems import said
from modelmint.kit.errors import Corrupted, InvalidInput, NotFound
from modelmint.kit.machine import this_machine
from modelmint.market.earnings import MOST_CALLS, Scenario, earnings
from modelmint.market.types import CostStatement
from modelmint.market.value import worth
from modelmint.operations.measured import Rated, Rates, rates
from modelmint.releases.bundle import Release

_ID = 16
#: Parts of the sum from revenue to value: words, figure of the statement, sign.
_PARTS = (
    ("earn.revenue", "revenue", 1),
    ("earn.machine_cost", "machine_cost", -1),
    ("earn.fees", "payment_fees", -1),
    ("earn.storage_cost", "storage_cost", -1),
    ("earn.review_cost", "review_cost", -1),
    ("earn.error_cost", "error_cost", -1),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A model of a release that can be looked at."""

    value: str
    release: Release
    model: str
    #: Public names under which it is served now.
    served: tuple[str, ...]


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/earn", "founder", GET=earn),
        page(console, "/earn/figures", "founder", GET=figures),
    ]


def earn(asked: Asked) -> Answer:
    """The form with the figures beside it."""
    choices = _choices(asked)
    return _shown(asked, "earn.html", choices, {"choices": choices})


def figures(asked: Asked) -> Answer:
    """The figures alone, for the page's script; of the one release that is asked for no other is opened."""
    return _shown(asked, "_earn_figures.html", [] if asked.query.get(SENT) else _choices(asked), {})


def _shown(asked: Asked, template: str, choices: list[Choice], more: dict[str, Any]) -> Page:
    reader = EarnForm(asked.shop, asked.query)
    values: dict[str, Any] = {
        "form": reader.form(), "chosen": None, "figures": None, "wrong_with": None, **more,
    }  # fmt: skip
    status = 200
    try:
        chosen = _wanted(asked) if asked.query.get(SENT) else next(iter(choices), None)
        if chosen is not None:
            values["chosen"] = chosen
            values["figures"] = _figures(reader, chosen)
    except InvalidInput as error:
        values["wrong_with"], status = said(error, asked), 422
    return Page(template, values, status, fetches=True)


def _choices(asked: Asked) -> list[Choice]:
    """Every model on the shelf, those that are served first."""
    served: dict[tuple[str, str], list[str]] = {}
    for row in asked.books.deployments():
        served.setdefault((row.release, row.model), []).append(row.name)
    found = [
        Choice(f"{release.id[:_ID]}.{model}", release, model, tuple(sorted(served.get((release.id, model), ()))))
        for release in asked.shop.shelf.survey()[0]
        for model in sorted(release.manifest.models)
    ]
    return sorted(found, key=lambda choice: not choice.served)


def _wanted(asked: Asked) -> Choice:
    """What the form names: the beginning of a release's id, a dot, a model. Raises ``BadForm``."""
    value = asked.query[SENT]
    name, _, model = value.partition(".")
    try:
        release = asked.shop.shelf.get(name)
        release.model(model)
    except (NotFound, InvalidInput, Corrupted) as error:
        raise BadForm(f"expected 'what' as a release and its model, found {value[:80]!r}") from error
    return Choice(value, release, model, ())


def _figures(reader: EarnForm, chosen: Choice) -> dict[str, Any] | None:
    """Everything that the sliders move; None where nobody measured this release."""
    known = rates(chosen.release, chosen.model)
    scenario = reader.scenario(len(chosen.release.manifest.models))
    if known is None:
        return None
    released, *others = known.candidates
    found = earnings(scenario, released.measured)
    statement = found.statement
    return {
        "earnings": found,
        "statement": statement,
        "currency": statement.currency,
        "calls": scenario.calls,
        "titles": reader.titles(),
        "parts": [(words, _amount(statement, figure, sign)) for words, figure, sign in _PARTS],
        "plot": plot(scenario, released.measured, found),
        "rates": known,
        "released": released,
        "others": _others(scenario, released, others),
        "most_calls": MOST_CALLS,
        "machine": _machine(known),
    }


def _amount(statement: CostStatement, figure: str, sign: int) -> Decimal | None:
    text = getattr(statement, figure)
    return None if text is None else sign * Decimal(text) + 0  # no negative zero


def _others(scenario: Scenario, released: Rated, others: list[Rated]) -> list[tuple[Rated, CostStatement]]:
    """The same month with each candidate of the build, the one released first."""
    if scenario.calls is None or not others:
        return []
    market = scenario.market(scenario.calls)
    return [(one, worth(market, one.measured)) for one in (released, *others)]


def _machine(known: Rates) -> dict[str, object]:
    """Where it was measured, and where this page is made."""
    return {"processor": known.processor or "?", "cores": known.cores, "here": this_machine().processor}
