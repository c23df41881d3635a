"""The fields of a usage event, read from JSON that nobody vouches for. Each reader gives a value or adds a problem."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from modelmint.commerce.metering.errors import (
    BadEvents,
    EventInFuture,
    EventTooOld,
    NegativeQuantity,
    Problem,
    TooPrecise,
)
from modelmint.commerce.names import is_writable
from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import BadMoney, Money, parse_money

#: Decimals that a quantity may have, and the most that one event may count.
DECIMALS = 6
LARGEST = 1_000_000_000
#: The largest stated amount, minor units.
LARGEST_AMOUNT = 10**12
#: How far a device's clock may run ahead, and how long an event may take to come.
SKEW = timedelta(minutes=5)
OLDEST = timedelta(days=90)

_METER = re.compile(r"[a-z][a-z0-9_.]{0,63}")
_STATE = re.compile(r"[a-z][a-z0-9_]{0,31}")
#: Of a model or a variant: like the venture's own, which stay after an erasure, so no free text that may name a person.
_PART = re.compile(r"[a-z0-9_.-]{1,64}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def shown(value: object) -> str:
    """What was sent, as a message repeats it."""
    return repr(str(value) if isinstance(value, Decimal) else value)[:60]


@dataclass(slots=True)
class Reader:
    """Reads the fields of the event at ``index``; what is wrong goes to ``problems``."""

    index: int
    now: datetime
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, text: str, kind: type[ModelmintError] = BadEvents) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.index, kind, text))

    def text(self, found: Mapping[str, Any], name: str, longest: int, default: str | None = None) -> str:
        """A text on one line; without a ``default`` it must be there and not be empty."""
        value = found.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or len(value) > longest or (default is None and not value):
            least = 0 if default is not None else 1
            self.wrong(f"expected {name} as a text of {least} to {longest} characters, found {shown(value)}")
            return ""
        if not value.isprintable() and not is_writable(value):
            self.wrong(f"expected {name} without control characters and line breaks, found {shown(value)}")
        return value

    def _matching(self, found: Mapping[str, Any], name: str, form: re.Pattern[str], example: str, default: str) -> str:
        value = found.get(name, default or None)
        if not isinstance(value, str) or form.fullmatch(value) is None:
            self.wrong(f"expected {name} as a word like {example}, matching {form.pattern}; found {shown(value)}")
            return ""
        return value

    def meter(self, found: Mapping[str, Any]) -> str:
        """What is counted."""
        return self._matching(found, "meter", _METER, "'tokens' or 'pages.scanned'", "")

    def state(self, found: Mapping[str, Any]) -> str:
        """The answer's state; "ok" where nothing is said."""
        return self._matching(found, "state", _STATE, "'ok' or 'abstained'", "ok")

    def part(self, found: Mapping[str, Any], name: str) -> str:
        """The name of a model or a variant; empty where nothing is said."""
        value = found.get(name)
        if value is None or value == "":
            return ""
        return self._matching(found, name, _PART, "'reader' or 'onnx-fp32'", "")

    def quantity(self, found: Mapping[str, Any]) -> Decimal:
        """How much; 1 where nothing is said. ``Decimal`` where JSON had a number with a point."""
        given = found.get("quantity", 1)
        value = _decimal(given)
        if value is None:
            self.wrong(f"expected quantity as a number, or a decimal in text like '12.5'; found {shown(given)}")
        elif value < 0:
            self.wrong(f"expected a quantity of 0 or more, found {shown(given)}", NegativeQuantity)
        elif value > LARGEST:
            self.wrong(f"expected a quantity of at most {LARGEST:,}, found {shown(given)}; send several events")
        elif -_exponent(value) > DECIMALS:
            self.wrong(
                f"expected a quantity of at most {DECIMALS} decimals, found {shown(given)}; round it", TooPrecise
            )
        else:
            return value
        return Decimal(0)

    def amount(self, found: Mapping[str, Any]) -> Money | None:
        """A stated amount, where there is one."""
        given = found.get("amount")
        if given is None:
            return None
        try:
            money = parse_money(given) if isinstance(given, str) and len(given) < 40 else None
        except BadMoney as error:
            self.wrong(f"amount: {error.message}")
            return None
        if money is None:
            self.wrong(f"expected amount as a text like '12.30 USD', found {shown(given)}")
        elif money.minor < 0:
            self.wrong(f"expected an amount of 0 or more, found {shown(given)}", NegativeQuantity)
        elif money.minor > LARGEST_AMOUNT:
            self.wrong(f"expected an amount of at most {Money(LARGEST_AMOUNT, money.currency)}, found {shown(given)}")
        return money

    def time(self, found: Mapping[str, Any]) -> datetime:
        """When it happened, with its offset from UTC; neither ahead of us nor long ago."""
        given = found.get("time")
        value = _time(given) if isinstance(given, str) else None
        if value is None:
            self.wrong(f"expected time as RFC 3339 with an offset, like 2026-11-03T10:15:00Z; found {shown(given)}")
            return self.now
        if value > self.now + SKEW:
            minutes = SKEW // timedelta(minutes=1)
            self.wrong(
                f"expected a time not later than {minutes} minutes from now ({self.now:%Y-%m-%dT%H:%M:%SZ}), "
                f"found {given}; check the sender's clock",
                EventInFuture,
            )
        elif value < self.now - OLDEST:
            self.wrong(f"expected a time within the last {OLDEST.days} days, found {given}", EventTooOld)
        return value


def _decimal(given: object) -> Decimal | None:
    if isinstance(given, int) and not isinstance(given, bool):
        return Decimal(given)
    if isinstance(given, Decimal):
        return given if given.is_finite() else None
    if isinstance(given, str) and _DECIMAL.fullmatch(given):
        return Decimal(given)
    return None


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _time(given: str) -> datetime | None:
    if len(given) > 40 or _TIME.fullmatch(given) is None:
        return None
    try:
        return datetime.fromisoformat(given.upper()).astimezone(UTC)
    except (ValueError, OverflowError):  # the 31st of February, or before the first year once it is UTC
        return None
