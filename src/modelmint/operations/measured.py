"""What was measured of the models on the shelf, from their own statements: what a month of them can be valued by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from modelmint.kit.estimate import Estimate
from modelmint.kit.machine import this_machine
from modelmint.market.types import Measured
from modelmint.releases.bundle import Release

#: A rate of calls beyond this is no measurement.
_FASTEST = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class Rated:
    """One candidate of a build, as it was measured."""

    #: int8@onnxruntime
    key: str
    measured: Measured
    #: It is the one in the release.
    released: bool


@dataclass(frozen=True, slots=True)
class Rates:
    """All that a machine measured of one model of a release; ``candidates`` begins with the one released."""

    candidates: tuple[Rated, ...]
    #: This machine made the measurement.
    here: bool
    processor: str
    cores: int
    made_at: str
    p99_limit_ms: float | None


def rates(release: Release, model: str) -> Rates | None:
    """From the newest cost statement of this machine, else of any; None where nothing was measured."""
    own = this_machine().fingerprint
    statement = release.newest("cost", own) or release.newest("cost")
    if statement is None:
        return None
    body = statement.of(model)
    load, measured_on = _mapping(body.get("load_test")), _mapping(statement.body.get("measured_on"))
    limit = _number(load.get("p99_limit_ms"))
    released = Rated(str(body.get("candidate", "")), _measured(body, limited=limit is not None), released=True)
    cores = measured_on.get("cores")
    return Rates(
        candidates=(released, *_others(release, statement.machine, model, released)),
        here=statement.machine == own,
        processor=str(measured_on.get("processor", "")),
        cores=cores if isinstance(cores, int) else 0,
        made_at=statement.made_at,
        p99_limit_ms=None if limit is None else float(limit),
    )


def _others(release: Release, machine: str, model: str, released: Rated) -> list[Rated]:
    """The candidates that were load-tested beside it on that machine."""
    statement = release.newest("timings", machine)
    rows = [] if statement is None else statement.of(model).get("candidates")
    found = []
    for row in rows if isinstance(rows, list) else []:
        known = _mapping(row)
        if known.get("chosen") is True or known.get("calls_per_second") is None:
            continue
        key = f"{known.get('name')}@{known.get('engine')}"
        found.append(Rated(key, _measured(known, limited=released.measured.limited), released=False))
    return found


def _measured(body: Mapping[str, Any], *, limited: bool) -> Measured:
    rate, left_open = _number(body.get("calls_per_second")), _number(body.get("abstained_share"))
    return Measured(
        calls_per_second=rate if rate is not None and 0 < rate < _FASTEST else None,
        wrong=_estimate(body.get("wrong_share")),
        left_open=left_open if left_open is not None and 0 <= left_open <= 1 else None,
        limited=limited,
    )


def _estimate(value: object) -> Estimate | None:
    """A share with its interval; a foreign statement may say anything."""
    parts = _mapping(value)
    found = [_number(parts.get(name)) for name in ("value", "low", "high")]
    n = parts.get("n")
    if any(part is None or not 0 <= part <= 1 for part in found) or not isinstance(n, int):
        return None
    point, low, high = (float(part or 0) for part in found)
    return Estimate(point, low, high, n)


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = Decimal(repr(value))
    return number if number.is_finite() else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
