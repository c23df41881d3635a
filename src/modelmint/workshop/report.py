"""What a build tells: the object of ``build --json`` and the bodies of the statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelmint.data.version import DatasetVersion
from modelmint.kit.canonical import plain
from modelmint.market.types import CostStatement
from modelmint.market.value import best_level, nearest_level
from modelmint.serving.types import LoadResult
from modelmint.workshop.appraise import Appraisal, ModelWork, against_parent
from modelmint.workshop.records import read_explanations
from modelmint.workshop.steps.price import LOAD_LIMIT
from modelmint.workshop.steps.release import ModelParts
from modelmint.workshop.types import Candidate

NOT_COMPUTABLE = "not computable"
_COST_FIGURES = (
    "calls_per_second", "peak_calls_per_second", "cost_per_1k", "cost_per_1k_at_demand", "revenue", "machine_cost",
    "payment_fees", "storage_cost", "review_cost", "error_cost", "gross_margin",
)  # fmt: skip


@dataclass(frozen=True)
class BuildReport:
    """A finished build. ``models`` holds plain JSON per model."""

    release_id: str
    path: Path
    dataset: DatasetVersion
    models: Mapping[str, Mapping[str, Any]]
    #: Step -> seconds it took when it ran (in this build or, for ``cached`` ones, in an earlier one).
    seconds: Mapping[str, float]
    cached: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The ``build --json`` object: plain JSON; a lone model's parts stand at the top as well."""
        found: dict[str, Any] = {
            "release": {"id": self.release_id, "path": str(self.path)},
            "dataset": {
                "digest": self.dataset.digest,
                "rows": dict(self.dataset.counts),
                "problems": len(self.dataset.findings),
                "findings": _counted(self.dataset),
            },
            "models": {name: dict(model) for name, model in self.models.items()},
            "seconds": dict(self.seconds),
            "cached": list(self.cached),
        }
        if len(self.models) == 1:
            found |= dict(next(iter(self.models.values())))
        return found


def _counted(dataset: DatasetVersion) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in dataset.findings:
        counts[finding.kind] = counts.get(finding.kind, 0) + 1
    return counts


def model_report(work: ModelWork, found: Appraisal) -> dict[str, Any]:
    """One model: test metrics, candidates, gates, cost and why."""
    return {
        "metrics": plain(found.cards[found.choice.key]["metrics"]),
        "candidates": [candidate_row(one, found) for one in work.candidates],
        "gates": plain(list(found.gates)),
        "cost": cost_body(found.chosen, found),
        "why": found.choice.why,
        "drops": {"validation": dict(found.drops), "test": against_parent(found, work)["test"]},
        "test_reads": found.test_reads,
        "training": {
            "seconds": round(work.trained.seconds, 3),
            "epochs": len(work.trained.history),
            "backbone": work.trained.backbone["name"],
        },
    }


def candidate_row(candidate: Candidate, found: Appraisal) -> dict[str, Any]:
    """One line of the candidates table; scores are of validation, times of the engine at batch 1."""
    timing, scores = candidate.timing, candidate.scores or {}
    cost, load = found.costs.get(candidate.key), found.loads.get(candidate.key)
    rejected = candidate.rejected or (load if isinstance(load, str) else None)
    value: float | str | None = None
    if cost is not None:
        value = NOT_COMPUTABLE if cost.monthly_value is None else float(cost.monthly_value.value)
    return {
        "name": candidate.name,
        "engine": candidate.engine,
        "accuracy": scores["accuracy"].value if "accuracy" in scores else None,
        "auroc": scores["auroc"].value if "auroc" in scores else None,
        "cpu_ms": timing.cpu_ms.value if timing else None,
        "p50_ms": timing.p50_ms.value if timing else None,
        "p99_ms": timing.p99_ms.value if timing else None,
        "size_bytes": candidate.size_bytes,
        "calls_per_second": None if cost is None else _number(cost.calls_per_second),
        "cost_per_1k": None if cost is None else _number(cost.cost_per_1k),
        "monthly_value": value,
        "wrong_share": None if cost is None else plain(cost.wrong_share),
        "abstained_share": None if cost is None else cost.abstained_share,
        "chosen": candidate.key == found.choice.key,
        "rejected": rejected,
        "note": _load_note(load) if isinstance(load, LoadResult) else None,
        "precision": candidate.precision,
        "threads": timing.threads if timing else None,
        "foreign_load": timing.load if timing else None,
        "disturbed": timing.disturbed if timing else None,
        "parity": plain(candidate.parity),
        "intervals": {
            **{name: plain(scores[name]) for name in ("accuracy", "auroc") if name in scores},
            **({"cpu_ms": plain(timing.cpu_ms)} if timing else {}),
            **({"monthly_value": plain(cost.monthly_value)} if cost and cost.monthly_value else {}),
        },
    }


def _load_note(load: LoadResult) -> str | None:
    """What to know of a load test beside its figures; None where it was quiet and gave a rate."""
    noisy = f"load-tested while other programs kept {load.load:.1f} cores busy" if load.load > LOAD_LIMIT else None
    return "; ".join(told for told in (_over_limit(load), noisy) if told) or None


def _over_limit(load: LoadResult) -> str | None:
    """Why a load-tested candidate has no rate, with the figures that were measured; None where it has one."""
    if best_level(load) is not None:
        return None
    if (nearest := nearest_level(load)) is None:
        return "no rate: at every level of load calls failed or none came back"
    wanted = "was priced" if load.p99_limit_ms is None else f"kept p99 within {load.p99_limit_ms:g} ms"
    return (
        f"no rate: no level of load {wanted}; nearest were {nearest.clients} clients with p50 {nearest.p50_ms:.4g} ms, "
        f"p99 {nearest.p99_ms:.4g} ms, {nearest.calls_per_second:.4g} calls/s"
    )


def cost_body(candidate: Candidate, found: Appraisal) -> dict[str, Any]:
    """The cost statement of the chosen candidate, flat; amounts of money are numbers here, exact text in ``exact``."""
    cost, load = found.costs[candidate.key], found.loads[candidate.key]
    level = nearest_level(load) if isinstance(load, LoadResult) else None
    value = cost.monthly_value
    return {
        "engine": candidate.engine,
        "threads": candidate.timing.threads if candidate.timing else 1,
        "variant": candidate.variant,
        "candidate": candidate.key,
        "machine": cost.machine,
        "currency": cost.currency,
        **{name: _number(getattr(cost, name)) for name in _COST_FIGURES},
        "machines": cost.machines,
        "server_cpu_ms": level.server_cpu_ms if level else None,
        "p50_ms": level.p50_ms if level else None,
        "p99_ms": level.p99_ms if level else None,
        "clients": level.clients if level else None,
        "monthly_value": NOT_COMPUTABLE if value is None else float(value.value),
        "monthly_value_low": None if value is None else float(value.low),
        "monthly_value_high": None if value is None else float(value.high),
        "wrong_share": plain(cost.wrong_share),
        "abstained_share": cost.abstained_share,
        "assumptions": list(cost.assumptions),
        "missing": list(cost.missing),
        "why": found.choice.why,
        "load_test": plain(load) if isinstance(load, LoadResult) else None,
        "exact": _exact(cost),
    }


def _exact(cost: CostStatement) -> dict[str, Any]:
    return {name: getattr(cost, name) for name in _COST_FIGURES} | {"monthly_value": plain(cost.monthly_value)}


def model_parts(work: ModelWork, found: Appraisal, explained: Path) -> ModelParts:
    """What the release step needs of one model; ``explained`` is the folder of its explain step."""
    return ModelParts(
        name=work.name,
        candidate=found.chosen,
        spec=work.trained.spec,
        backbone=work.trained.backbone,
        compressed=work.compressed,
        judged=work.judged,
        card=found.cards[found.choice.key],
        against_parent=against_parent(found, work),
        test_reads=found.test_reads,
        lineage={
            "run": work.trained.digest,
            "plan": plain(work.trained.plan),
            "candidate": found.chosen.name,
            "facts": plain(found.chosen.facts),
            "weights_source": plain(work.trained.backbone["source"]),
        },
        statements={
            "cost": cost_body(found.chosen, found),
            "gates": {"gates": plain(list(found.gates))},
            "timings": {"candidates": [candidate_row(one, found) for one in work.candidates]},
            "explanations": read_explanations(explained),
        },
    )


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)
