"""All sections together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from pydantic import Field, model_validator

from modelmint.kit.registry import nearest
from modelmint.venture.sections.base import Complaint, Section, refuse_if_any
from modelmint.venture.sections.compress import CompressSection
from modelmint.venture.sections.data import DataSection
from modelmint.venture.sections.gates import GatesSection
from modelmint.venture.sections.model import ModelSection
from modelmint.venture.sections.money import CostsSection, DemandSection, MachineSection
from modelmint.venture.sections.plans import PlanSection
from modelmint.venture.sections.serving import ServingSection
from modelmint.venture.sections.venture import VentureSection

#: Names that stand in web addresses: of models and of plans.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class VentureFile(Section):
    """The whole of ``venture.toml``."""

    venture: VentureSection
    data: DataSection
    #: Sugar for one model; ``models`` where a venture needs several.
    model: ModelSection | None = None
    models: dict[str, ModelSection] = {}
    compress: CompressSection = CompressSection()
    gates: GatesSection = GatesSection()
    demand: DemandSection | None = None
    costs: CostsSection = CostsSection()
    machine: MachineSection = MachineSection()
    plans: dict[str, PlanSection] = Field(default={})
    serving: ServingSection = ServingSection()

    @model_validator(mode="after")
    def _coherent(self) -> VentureFile:
        refuse_if_any(chain(self._model_complaints(), self._currency_complaints(), self._mix_complaints()))
        return self

    def _model_complaints(self) -> Iterator[Complaint]:
        if self.model is not None and self.models:
            yield Complaint(("models",), "give [model] for one model or [models.NAME] for several, not both")
        for kind, names in (("models", self.models), ("plans", self.plans)):
            for name in names:
                if not NAME.fullmatch(name):
                    message = f"a name in [{kind}.NAME] has small letters, digits, '-' and '_'; found {name!r}"
                    yield Complaint((kind, name), message)

    def _prices(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Where a price stands and its currency."""
        for name, plan in self.plans.items():
            if plan.currency:
                yield ("plans", name), plan.currency
        for key in ("wrong_answer", "storage_per_call", "review_per_abstention"):
            price = getattr(self.costs, key)
            if price is not None:
                yield ("costs", key), price.currency
        if self.machine.price_per_hour is not None:
            yield ("machine", "price_per_hour"), self.machine.price_per_hour.currency

    def _currency_complaints(self) -> Iterator[Complaint]:
        expected = self.currency
        for path, currency in self._prices():
            if currency != expected:
                message = f"one venture, one currency: expected {expected} as elsewhere, found {currency}"
                yield Complaint(path, message)

    def _mix_complaints(self) -> Iterator[Complaint]:
        for name in self.demand.plan_mix if self.demand else ():
            if name not in self.plans:
                known = ", ".join(self.plans) or "none"
                message = f"names a plan that does not exist; plans here: {known}"
                close = nearest(name, list(self.plans))
                yield Complaint(("demand", "plan_mix", name), message, close, needs=(("plans", name),))

    def all_models(self) -> dict[str, ModelSection]:
        """Public name -> model; a lone ``[model]`` carries the venture's name."""
        return dict(self.models) or {self.venture.name: self.model or ModelSection()}

    @property
    def currency(self) -> str | None:
        """The venture's one currency, None where no price is stated."""
        return next((currency for _, currency in self._prices()), None)
