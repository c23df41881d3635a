"""All sections together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from pydantic import Field, model_validator

from modelmint.kit.registry import nearest
from modelmint.venture.sections.base import Complaint, Section, refuse_if_any
from modelmint.venture.sections.billing import BillingSection
from modelmint.venture.sections.card import CardSection
from modelmint.venture.sections.compress import CompressSection
from modelmint.venture.sections.data import DataSection
from modelmint.venture.sections.gates import GatesSection
from modelmint.venture.sections.model import ModelSection
from modelmint.venture.sections.money import CostsSection, DemandSection, MachineSection
from modelmint.venture.sections.plans import PlanSection
from modelmint.venture.sections.privacy import PrivacySection
from modelmint.venture.sections.serving import ServingSection
from modelmint.venture.sections.trial_page import TrialPageSection
from modelmint.venture.sections.venture import VentureSection
from modelmint.venture.sections.webhooks import WebhooksSection

#: Names that stand in web addresses and in paths: of models, of their variants and of plans.
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
    webhooks: WebhooksSection = WebhooksSection()
    billing: BillingSection = BillingSection()
    card: CardSection = CardSection()
    privacy: PrivacySection = PrivacySection()
    trial_page: TrialPageSection = TrialPageSection()

    @model_validator(mode="after")
    def _coherent(self) -> VentureFile:
        complaints = (self._model_complaints, self._name_complaints, self._currency_complaints, self._mix_complaints)
        refuse_if_any(chain.from_iterable(complain() for complain in complaints))
        return self

    def _model_complaints(self) -> Iterator[Complaint]:
        if self.model is not None and self.models:
            yield Complaint(("models",), "give [model] for one model or [models.NAME] for several, not both")
        sections = self._model_sections()
        bare = [path for path, section in sections.items() if not section.variants]
        if sections and not bare and "compress" in self.model_fields_set:
            message = "would do nothing: each variant of the model has a table of its own, [model.variants.NAME]"
            yield Complaint(("compress",), message, needs=tuple((*path, "variants") for path in sections))

    def _name_complaints(self) -> Iterator[Complaint]:
        named: dict[tuple[str, ...], Iterable[str]] = {("models",): self.models, ("plans",): self.plans}
        named |= {(*path, "variants"): section.variants for path, section in self._model_sections().items()}
        for path, names in named.items():
            for name in names:
                if not NAME.fullmatch(name):
                    table = f"[{'.'.join(path)}.NAME]"
                    message = f"a name in {table} has small letters, digits, '-' and '_'; found {name!r}"
                    yield Complaint((*path, name), message)

    def _model_sections(self) -> dict[tuple[str, ...], ModelSection]:
        """Every model by where it stands in the file."""
        single = {} if self.model is None else {("model",): self.model}
        return single | {("models", name): section for name, section in self.models.items()}

    def _prices(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Where a price stands and its currency."""
        for name, plan in self.plans.items():
            if plan.sold_in:
                yield ("plans", name), plan.sold_in
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
