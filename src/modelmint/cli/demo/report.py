"""What the demo shows at its end, as plain JSON: the same object for ``--json``, ``demo-report.json`` and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from modelmint.cli.demo.calls import Refusal, Reply, quantile
from modelmint.cli.views.plain import as_json
from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.metering.types import UsageSummary
from modelmint.commerce.types import Plan
from modelmint.sdk.views.figures import bare


@dataclass
class DemoRun:
    """Filled phase by phase."""

    folder: str
    solution: str
    build: dict[str, Any] = field(default_factory=dict)
    plan: Plan | None = None
    customer: str = ""
    url: str = ""
    replies: list[Reply] = field(default_factory=list)
    truths: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    usage: UsageSummary | None = None
    invoice: Invoice | None = None
    invoice_text: str = ""
    places: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The report; amounts of money exact, times in seconds and milliseconds."""
        return {
            "folder": self.folder,
            "solution": self.solution,
            "build": self.build,
            "customer": self.customer,
            "url": self.url,
            "calls": calls_json(self.replies, self.truths),
            "per_call": per_call(self.plan, self.build),
            "refused": [as_json(one) for one in self.refusals],
            "usage": as_json(self.usage),
            "invoice": as_json(self.invoice),
            "invoice_text": self.invoice_text,
            "places": self.places,
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            "total_seconds": round(sum(self.seconds.values()), 2),
        }


def calls_json(replies: Sequence[Reply], truths: Sequence[str]) -> dict[str, Any]:
    """Counts, how many labels were right, and the caller's own wall times."""
    answered = [reply for reply in replies if reply.status == 200]
    right = sum(
        reply.body.get("label") == truth for reply, truth in zip(replies, truths, strict=True) if reply.status == 200
    )
    walls = [reply.wall_ms for reply in answered]
    compute = [float(reply.body["compute_ms"]) for reply in answered if reply.body.get("compute_ms") is not None]
    return {
        "sent": len(replies),
        "answered": len(answered),
        "right": right,
        "undecided": sum(bool(reply.body.get("abstained")) for reply in answered),
        "p50_ms": round(quantile(walls, 0.5), 3) if walls else None,
        "p99_ms": round(quantile(walls, 0.99), 3) if walls else None,
        "compute_ms": round(sum(compute) / len(compute), 3) if compute else None,
    }


def per_call(plan: Plan | None, build: Mapping[str, Any]) -> dict[str, Any]:
    """Price billed for one call, what the machine takes for it by the cost statement, and what is left."""
    price = plan.charges[0].tiers[0].price if plan and plan.charges else None
    cost = build.get("cost") or {}
    thousand = bare(cost.get("cost_per_1k"))
    machine = Decimal(str(thousand)) / 1000 if thousand is not None else None
    margin = None
    if price is not None and machine is not None and price.amount:
        margin = float((price.amount - machine) / price.amount)
    return {
        "price": str(price) if price else None,
        "currency": price.currency if price else None,
        "machine_cost": f"{machine:.8f}" if machine is not None else None,
        "machine_margin": round(margin, 8) if margin is not None else None,
        "calls_per_second": bare(cost.get("calls_per_second")),
        "server_cpu_ms": bare(cost.get("server_cpu_ms")),
    }
