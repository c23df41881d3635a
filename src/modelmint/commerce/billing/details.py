"""What a grant of credit and a customer's billing details may be; every problem at once."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal

from modelmint.commerce.billing.errors import BadBillingDetails, BadCredit
from modelmint.commerce.billing.types import BillingDetails
from modelmint.commerce.names import is_writable
from modelmint.kit.money import Money

SOURCES = ("purchase", "promotion", "service_credit", "credit_note")
LANGUAGES = ("en", "zh")
_LARGEST_PRIORITY = 1000
_LONGEST = 500


def check_grant(
    amount: Money, priority: int, expires_at: datetime | None, now: datetime, *, source: str, note: str
) -> None:
    """Raise ``BadCredit`` with all that is wrong."""
    problems = []
    if amount.minor <= 0:
        problems.append(f"expected an amount above zero, found {amount}")
    if not 0 <= priority <= _LARGEST_PRIORITY:
        problems.append(f"expected a priority from 0 (burnt first) to {_LARGEST_PRIORITY}, found {priority}")
    if source not in SOURCES:
        problems.append(f"expected a source of {', '.join(SOURCES)}, found {source[:80]!r}")
    if expires_at is not None:
        problems += _end_problems(expires_at, now)
    if len(note) > _LONGEST or not is_writable(note):
        problems.append(f"expected a note on one line of at most {_LONGEST} characters")
    if problems:
        raise BadCredit("this credit cannot be given", problems=problems)


def _end_problems(expires_at: datetime, now: datetime) -> list[str]:
    """Credit runs out between two days: usage is added up by days, so both sides of the end can be told apart."""
    if expires_at.tzinfo is None or expires_at.astimezone(UTC).time() != time():
        return [f"expected credit to run out at the beginning of a day (UTC), like 2027-01-01, found {expires_at}"]
    return [] if expires_at > now else [f"expected an end to come, found {expires_at:%Y-%m-%d}"]


def check_details(details: BillingDetails) -> None:
    """Raise ``BadBillingDetails`` with all that is wrong."""
    problems = []
    rate = details.tax_rate
    if rate is not None and not (rate.is_finite() and 0 <= rate <= 1 and rate == round(rate, 6)):
        problems.append(f"expected a tax rate from 0 to 1 with at most 6 decimals, like 0.19, found {rate}")
    if details.anchor is not None and not 1 <= details.anchor <= 31:
        problems.append(f"expected an anchor from 1 to 31, a day of the month, found {details.anchor}")
    if details.language is not None and details.language not in LANGUAGES:
        problems.append(f"expected a language of {', '.join(LANGUAGES)}, found {details.language[:20]!r}")
    for name in ("tax_name", "tax_id"):
        text = getattr(details, name)
        if text is not None and (len(text) > _LONGEST or not is_writable(text)):
            problems.append(f"expected {name} on one line of at most {_LONGEST} characters")
    address = details.address
    if address is not None and (len(address) > _LONGEST or not all(is_writable(line) for line in address.split("\n"))):
        problems.append(f"expected an address of at most {_LONGEST} characters, lines parted by line feeds")
    if problems:
        raise BadBillingDetails("these billing details cannot be", problems=problems)


def share(text: str) -> Decimal:
    """``"19 %"`` or ``"0.19"`` as 0.19; raises ``BadBillingDetails``."""
    body = text.strip()
    try:
        found = Decimal(body.removesuffix("%").strip())
    except ArithmeticError as error:
        raise BadBillingDetails(f'expected a tax rate like "19 %" or 0.19, found {text[:40]!r}') from error
    return found.scaleb(-2) if body.endswith("%") else found
