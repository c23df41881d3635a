"""What every section shares: unknown keys are refused, types are strict, values are frozen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from modelmint.kit.errors import InvalidInput
from modelmint.kit.money import Money, UnitPrice, parse_money, parse_price
from modelmint.kit.period import parse_moment, understood

#: The most units that a plan may name: calls, items, units of a tier or package.
MOST_UNITS = 10**12


class Section(BaseModel):
    """Base of all sections."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, allow_inf_nan=False
    )


@dataclass(frozen=True, slots=True)
class Complaint:
    """Keys of one section, or of several, that do not fit together."""

    #: Where the user should look, relative to the section that complains.
    path: tuple[str | int, ...]
    message: str
    suggestion: str | None = None
    #: Keys the complaint depends on (relative); it is void where one of them is itself wrong.
    needs: tuple[tuple[str | int, ...], ...] = ()


class Incoherent(ValueError):
    """All complaints of one section at once; the loader gives each its line."""

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__("; ".join(complaint.message for complaint in complaints))
        self.complaints = tuple(complaints)


def refuse_if_any(complaints: Iterator[Complaint]) -> None:
    """Raise ``Incoherent`` with everything ``complaints`` yields, or nothing."""
    if found := list(complaints):
        raise Incoherent(found)


def _price(value: object) -> object:
    if isinstance(value, str):
        try:
            price = parse_price(value)
        except InvalidInput as error:
            raise ValueError(error.message) from error
        if price.amount < 0:
            raise ValueError(f"expected an amount of at least 0, found {value!r}")
        return price
    if isinstance(value, UnitPrice):
        return value
    raise ValueError(f'expected an amount and a currency in quotes, like "0.02 USD", found {value!r}')


def _money(value: object) -> object:
    if isinstance(value, str):
        try:
            money = parse_money(value)
        except InvalidInput as error:
            raise ValueError(error.message) from error
        if money.minor < 0:
            raise ValueError(f"expected an amount of at least 0, found {value!r}")
        return money
    if isinstance(value, Money):
        return value
    raise ValueError(f'expected an amount and a currency in quotes, like "49 USD", found {value!r}')


_PERCENT = re.compile(r"\s*(-?[0-9]{1,9}(?:\.[0-9]{1,9})?)\s*%\s*")


def _percent(value: object) -> object:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
        share = Decimal(match[1]).scaleb(-2)
        if not 0 <= share <= 1:
            raise ValueError(f"expected 0 % to 100 %, found {value!r}")
        return share
    raise ValueError(f'expected a percentage in quotes, like "2.9 %", found {value!r}')


def _moment(value: object) -> object:
    """A date is its midnight, UTC; a time says its zone."""
    try:
        if isinstance(value, str):
            return parse_moment(value)
        if isinstance(value, datetime) and value.tzinfo is not None:
            return understood(value)
        if isinstance(value, date) and not isinstance(value, datetime):
            return understood(datetime(value.year, value.month, value.day, tzinfo=UTC))
    except InvalidInput as error:
        raise ValueError(error.message) from error
    raise ValueError(f"expected a date like 2027-01-01, or a time with its zone, found {value!s:.80}")


def _exact(value: object) -> object:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf"):
        return Decimal(repr(value))
    if isinstance(value, Decimal):
        return value
    raise ValueError(f"expected a number above 0, found {value!r}")


#: ``"0.02 USD"``; may be finer than the smallest coin.
Price = Annotated[UnitPrice, BeforeValidator(_price)]
#: ``"49 USD"``; whole coins.
Amount = Annotated[Money, BeforeValidator(_money)]
#: ``"2.9 %"`` as the share ``Decimal("0.029")``.
Percent = Annotated[Decimal, BeforeValidator(_percent)]
#: ``2027-01-01``; a date is midnight UTC.
Moment = Annotated[datetime, BeforeValidator(_moment)]
#: A number above 0 as it is written: 49.9 is ``Decimal("49.9")``.
Exact = Annotated[Decimal, BeforeValidator(_exact)]
