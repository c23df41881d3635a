"""All sections together."""

from __future__ import annotations

from pydantic import Field, model_validator

from modelmint.venture.sections.base import Section
from modelmint.venture.sections.compress import CompressSection
from modelmint.venture.sections.data import DataSection
from modelmint.venture.sections.gates import GatesSection
from modelmint.venture.sections.model import ModelSection
from modelmint.venture.sections.money import CostsSection, DemandSection, MachineSection
from modelmint.venture.sections.plans import PlanSection
from modelmint.venture.sections.serving import ServingSection
from modelmint.venture.sections.venture import VentureSection


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
        if self.model is not None and self.models:
            raise ValueError("give [model] for one model or [models.NAME] for several, not both")
        currencies = {plan.currency for plan in self.plans.values() if plan.currency}
        for price in (self.costs.wrong_answer, self.costs.storage_per_call, self.machine.price_per_hour):
            if price is not None:
                currencies.add(price.currency)
        if len(currencies) > 1:
            raise ValueError(f"one venture, one currency; found {', '.join(sorted(currencies))}")
        if self.demand is not None:
            unknown = sorted(set(self.demand.plan_mix) - set(self.plans))
            if unknown:
                raise ValueError(f"demand.plan_mix names plans that do not exist: {', '.join(unknown)}")
        return self

    def all_models(self) -> dict[str, ModelSection]:
        """Public name -> model; a lone ``[model]`` carries the venture's name."""
        return dict(self.models) or {self.venture.name: self.model or ModelSection()}

    @property
    def currency(self) -> str | None:
        """The venture's one currency, None where no price is stated."""
        for plan in self.plans.values():
            if plan.currency:
                return plan.currency
        price = self.machine.price_per_hour or self.costs.wrong_answer
        return price.currency if price else None
