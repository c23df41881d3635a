"""What an invoice was computed from, as JSON: frozen beside it, read by replay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.commerce.billing.types import BillingInputs, GrantBalance, Held, Kept
from modelmint.commerce.metering.types import Cell, Distinct, Quantities
from modelmint.kit.canonical import canonical_json, plain
from modelmint.kit.money import Money
from modelmint.kit.period import Period


def to_json(inputs: BillingInputs) -> dict[str, Any]:
    """Plain JSON types; money in minor units. ``from_json`` of it is the inputs again."""
    found: dict[str, Any] = plain(inputs)
    if not inputs.forgiven:  # inputs that were frozen before there was such a thing keep their bytes
        del found["forgiven"]
    return found


def canonical(inputs: BillingInputs) -> str:
    """The one text of the inputs: what is stored and digested."""
    return canonical_json(to_json(inputs)).decode()


def from_json(found: Mapping[str, Any]) -> BillingInputs:
    """The inputs that ``to_json`` wrote."""
    kept = found["kept"]
    return BillingInputs(
        id=found["id"],
        number=found["number"],
        finalised_at=_moment(found["finalised_at"]),
        customer=found["customer"],
        subscription=found["subscription"],
        plan=found["plan"],
        plan_version=found["plan_version"],
        anchor=found["anchor"],
        part=_period(found["part"]),
        period=_period(found["period"]),
        since=_moment(found["since"]),
        held=tuple(Held(_moment(span["start"]), _maybe(span["end"])) for span in found["held"]),
        last=found["last"],
        cells=tuple(_cell(cell) for cell in found["cells"]),
        distinct=tuple(
            Distinct(_moment(value["period"]), value["meter"], value["before"], value["new"])
            for value in found["distinct"]
        ),
        grants=tuple(_grant(grant) for grant in found["grants"]),
        tax_rate=Decimal(found["tax_rate"]),
        tax_name=found["tax_name"],
        notice=found["notice"],
        kept=None if kept is None else Kept(kept["calls"], kept["failed"], _decimal(kept["p99_ms"])),
        releases=tuple(found["releases"]),
        forgiven=tuple(_moment(start) for start in found.get("forgiven", ())),
    )


def _cell(found: Mapping[str, Any]) -> Cell:
    return Cell(
        period=_moment(found["period"]),
        meter=found["meter"],
        model=found["model"],
        variant=found["variant"],
        state=found["state"],
        before=_quantities(found["before"]),
        new=_quantities(found["new"]),
    )


def _quantities(found: Mapping[str, Any]) -> Quantities:
    return Quantities(found["n"], Decimal(found["sum"]), Decimal(found["largest"]), found["amount"])


def _grant(found: Mapping[str, Any]) -> GrantBalance:
    left = found["left"]
    return GrantBalance(
        id=found["id"],
        left=Money(left["minor"], left["currency"]),
        priority=found["priority"],
        expires_at=_maybe(found["expires_at"]),
        granted_at=_moment(found["granted_at"]),
    )


def _period(found: Mapping[str, Any]) -> Period:
    return Period(_moment(found["start"]), _moment(found["end"]))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
