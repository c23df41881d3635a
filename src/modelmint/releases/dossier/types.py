"""What is known of a release, typed; what is not known is a ``Missing`` with the command that fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

from modelmint.evaluation.types import GateResult, Scorecard
from modelmint.kit.estimate import Estimate
from modelmint.releases.types import Damage, Variant
from modelmint.tasks.types import DecisionRule

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing is known: ``why`` is a key of the words, ``command`` what would fill it ("" where nothing would)."""

    why: str
    command: str = ""
    #: What a build wrote about it.
    told: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The statement that figures come from."""

    #: Fingerprint of the machine.
    machine: str
    #: Processor, cores, memory; "" where the statement does not say.
    hardware: str
    #: ISO 8601, UTC.
    made_at: str
    #: own | foreign
    signed_by: str


@dataclass(frozen=True, slots=True)
class Stated(Generic[T]):
    """Figures with the statement that they come from."""

    what: T
    source: Source


@dataclass(frozen=True, slots=True)
class Amount:
    """Money in major units with its 95 % interval, exact."""

    value: Decimal
    low: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class CandidateRow:
    """One measured way to run the model. Scores are of validation, times of the engine at batch 1."""

    number: int
    name: str
    engine: str
    precision: str
    threads: int | None
    accuracy: Estimate | None
    auroc: Estimate | None
    #: CPU milliseconds per call.
    cpu_ms: Estimate | None
    p50_ms: float | None
    p99_ms: float | None
    size_bytes: int | None
    calls_per_second: float | None
    cost_per_1k: float | None
    monthly_value: Amount | None
    chosen: bool
    #: Not beaten in both CPU time and accuracy by another one that could be sold.
    front: bool
    #: Why it is not for sale, as the build said it.
    rejected: str | None
    note: str | None
    disturbed: bool

    @property
    def key(self) -> str:
        """``int8@onnxruntime``."""
        return f"{self.name}@{self.engine}"


@dataclass(frozen=True, slots=True)
class Candidates:
    """All candidates of a model, and in which currency they are valued."""

    rows: tuple[CandidateRow, ...]
    currency: str


@dataclass(frozen=True, slots=True)
class Level:
    """One level of the load test."""

    clients: int
    calls: int
    calls_per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float
    errors: int


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost statement of the chosen candidate. Amounts are exact decimals in major units; None: not computable."""

    currency: str
    candidate: str
    engine: str
    threads: int
    #: The venture's name for the machine that the service will run on.
    machine: str
    machines: int | None
    #: Name of the figure -> exact value, in the order in which they are told.
    figures: Mapping[str, Decimal]
    monthly_value: Amount | None
    p50_ms: float | None
    p99_ms: float | None
    clients: int | None
    server_cpu_ms: float | None
    levels: tuple[Level, ...]
    p99_limit_ms: float | None
    #: Cores that other programs kept busy during the load test.
    foreign_load: float | None
    #: Share of calls expected to be answered wrongly, cross-fitted on validation; None in older statements.
    wrong_share: Estimate | None
    assumptions: tuple[str, ...]
    missing: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Rate:
    """Calls a second that a machine was measured at, from any cost statement, priced or not."""

    engine: str
    threads: int
    calls_per_second: float | None
    server_cpu_ms: float | None


@dataclass(frozen=True, slots=True)
class Explained:
    """What the build found of the explanations: how, at which cost, and whether they point at what matters."""

    #: cam | occlusion
    kind: str
    passes: int
    extra_ms: Estimate | None
    #: How far the score (its name: ``score``) falls when the hottest share of the picture is masked, and a random one.
    score: str
    hottest: Estimate | None
    random: Estimate | None
    difference: Estimate | None
    #: Share of the picture that is masked.
    share: float | None
    split: str
    mean_map: tuple[tuple[float, ...], ...]
    by_label: Mapping[str, tuple[tuple[float, ...], ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """One validated picture of the workspace with the model's answer. Never part of the bundle."""

    place: int
    name: str
    truth: str
    label: str
    probability: float
    right: bool
    #: PNG bytes, None where the file is not there.
    picture: bytes | None
    heat: bytes | None


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model of the release."""

    name: str
    task: str
    labels: tuple[str, ...]
    backbone: str
    settings: Mapping[str, Any]
    decision: DecisionRule
    variants: Mapping[str, Variant]
    default: str
    test_reads: int
    #: The judge's word on the test split.
    card: Scorecard | Missing
    validation: Mapping[str, Estimate]
    #: Accuracy and AUROC lost against the float32 graph, on test; empty where it was not compared.
    drops: Mapping[str, float]
    #: Training plan and source of the weights, plain JSON.
    plan: Mapping[str, Any]
    weights: Mapping[str, Any]
    run: str
    candidates: Stated[Candidates] | Missing
    gates: Stated[tuple[GateResult, ...]] | Missing
    cost: Stated[Cost] | Missing
    rates: tuple[Stated[Rate], ...]
    explained: Stated[Explained] | Missing
    cases: tuple[Case, ...] | Missing

    @property
    def own(self) -> bool:
        """Whether it was made elsewhere, so that nobody here knows what it was trained on."""
        return self.weights.get("kind") == "own model"


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The dataset version that the release was made from."""

    digest: str
    rows: Mapping[str, int]
    #: split -> label -> rows; empty where the bundle has no dataset card.
    by_label: Mapping[str, Mapping[str, int]]
    positive: str | None
    #: (channels, median width, median height), None where unknown.
    pictures: tuple[int, int, int] | None
    groups: int
    facts: Mapping[str, str]
    #: (kind, what was done, rows)
    findings: tuple[tuple[str, str, int], ...]
    licence: str


@dataclass(frozen=True, slots=True)
class Words:
    """What only the founder can say, from ``[venture]`` and ``[card]``; empty where it is not said."""

    name: str
    purpose: str
    use: str
    users: str
    tested_on: str
    contact: str
    limits: tuple[str, ...]
    out_of_scope: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """One file in ``statements/``; ``signed_by`` is own, foreign or bad (damaged: only its name is believed)."""

    kind: str
    machine: str
    made_at: str
    signed_by: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything that is known of one release, for the page, the report and the card alike."""

    id: str
    founder: Words
    models: tuple[ModelFacts, ...]
    data: DataFacts
    licences: Mapping[str, str]
    waivers: Mapping[str, str]
    #: Version of Modelmint that made it; "" where it is not written down.
    made_with: str
    #: Its earliest statement, ISO 8601 UTC; "" where there is none.
    made_at: str
    statements: tuple[StatementFacts, ...]
    damage: tuple[Damage, ...]
    #: Public names that it serves now; None where nobody looked into the books.
    serves: tuple[str, ...] | None
    files: int
    size_bytes: int
