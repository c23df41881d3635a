"""An invoice made again from its ledger segment, its plan version and its release ids alone.

``python -m modelmint.commerce.ledger.replay SEGMENT PLAN [RELEASE ...]`` does it in a process of its own that opens
no books: it reads two files, prints one JSON object, and ends with 0 where every byte is the same, 9 where not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from modelmint.commerce.billing import inputs_json
from modelmint.commerce.billing.draft import build
from modelmint.commerce.billing.types import BillingInputs, Invoice
from modelmint.commerce.catalog import version_of
from modelmint.commerce.documents import plan_json
from modelmint.commerce.documents.invoice_json import canonical
from modelmint.commerce.ledger.chain import content, link
from modelmint.commerce.ledger.errors import BadSegment
from modelmint.commerce.ledger.postings import postings
from modelmint.commerce.ledger.segment import from_text
from modelmint.commerce.ledger.types import LedgerEntry, MachineCost, Replayed, Segment
from modelmint.commerce.types import Plan
from modelmint.kit.canonical import canonical_json
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import written_price

SAME, DIFFERENT = 0, 9
_BROKEN = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, ModelmintError)


def replay(segment: Segment, plan_body: Mapping[str, Any], releases: Sequence[str]) -> Replayed:
    """Make the invoice and its posting again and compare; raises ``BadSegment`` where something cannot be read.

    ``releases`` are those that served; they go into the invoice instead of what the inputs say.
    """
    try:
        inputs = inputs_json.from_json(json.loads(segment.inputs))
        plan = plan_json.from_json(plan_body)
        proof = segment.entries[0].data
        booked, inputs_digest = proof["digest"], proof["inputs"]
        costs = _costs(segment.entries)
        invoice = build(replace(inputs, releases=tuple(sorted(releases))), plan)
    except (*_BROKEN, IndexError) as error:
        raise BadSegment(f"this segment or plan cannot be replayed: {error!r}") from error
    problems = [*_chain(segment), *_plan(segment, inputs, plan)]
    if digest_bytes(segment.inputs.encode()) != inputs_digest:
        problems.append("the inputs are not the ones that were booked (another sha256)")
    if invoice is None:
        problems.append("these inputs and this plan make no invoice at all")
        return Replayed(segment.invoice, inputs.number, "", booked, "", tuple(problems))
    body = canonical(invoice)
    return Replayed(
        invoice=segment.invoice,
        number=inputs.number,
        digest=digest_bytes(body),
        booked=booked,
        body=body.decode(),
        problems=tuple(problems),
        difference=_legs(segment, invoice, costs),
    )


def first_difference(booked: Sequence[str], made: Sequence[str]) -> tuple[str, str] | None:
    """The first line that is not the same on both sides; "" where one side has no more."""
    for position in range(max(len(booked), len(made))):
        left = booked[position] if position < len(booked) else ""
        right = made[position] if position < len(made) else ""
        if left != right:
            return left, right
    return None


def _chain(segment: Segment) -> list[str]:
    former = segment.former
    for entry in segment.entries:
        if link(former, entry) != entry.hash:
            return [f"entry {entry.seq} ({entry.id}) does not follow from the one before it: it was changed"]
        former = entry.hash
    return []


def _plan(segment: Segment, inputs: BillingInputs, plan: Plan) -> list[str]:
    named = {(segment.plan, segment.plan_version), (inputs.plan, inputs.plan_version)}
    if named != {(plan.name, plan.version)}:
        return [f"the plan is {plan.name} {plan.version}, the segment is of {segment.plan} {segment.plan_version}"]
    if version_of(plan) != plan.version:
        return [f"the terms of the plan make version {version_of(plan)}, it says {plan.version}: they were changed"]
    return []


def _costs(entries: Sequence[LedgerEntry]) -> list[MachineCost]:
    """Measured machine time is a fact from outside the invoice: it is read from the legs and worked out again."""
    return [
        MachineCost(entry.data["release"], entry.data["calls"], written_price(entry.data["unit_cost"]))
        for entry in entries
        if entry.account == "cost:machine"
    ]


def _legs(segment: Segment, invoice: Invoice, costs: Sequence[MachineCost]) -> tuple[str, str] | None:
    made = [content(entry).decode() for entry in postings(invoice, segment.inputs, costs)]
    return first_difference([content(entry).decode() for entry in segment.entries], made)


def main(words: Sequence[str]) -> int:
    """The process of its own."""
    segment, plan, *releases = words
    try:
        found = replay(
            from_text(Path(segment).read_text(encoding="utf-8")),
            json.loads(Path(plan).read_text(encoding="utf-8")),
            releases,
        )
    except (ModelmintError, ValueError) as error:
        sys.stdout.write(canonical_json({"error": str(error)}).decode() + "\n")
        return DIFFERENT
    sys.stdout.write(canonical_json(found).decode() + "\n")
    return SAME if found.same else DIFFERENT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
