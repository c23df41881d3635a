"""How referral codes and channels are written, and what a partner's terms may be."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from modelmint.commerce.channels.errors import BadReferral, BadTerms

#: Customers who came by themselves.
DIRECT = "direct"
#: Customers whom a partner made.
BY_PARTNER = "partner"
COMMISSION, WHOLESALE = "commission", "wholesale"
TERMS = (COMMISSION, WHOLESALE)
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}")
_CHANNEL = re.compile(r"[a-z][a-z0-9_-]{0,39}")


def checked_code(code: str) -> str:
    """``code`` in capitals: who types it need not care; raises ``BadReferral``."""
    found = code.strip().upper()
    if not _CODE.fullmatch(found):
        raise BadReferral(f"expected a code of 3 to 40 letters, digits, '-' or '_', found {code[:60]!r}")
    return found


def checked_channel(channel: str) -> str:
    """A short lower-case name; raises ``BadReferral``."""
    if not _CHANNEL.fullmatch(channel):
        raise BadReferral(f"expected a channel like 'newsletter' (a-z, 0-9, '-', '_'), found {channel[:60]!r}")
    return channel


def checked_terms(terms: str, rate: str | Decimal) -> Decimal:
    """The share as a decimal; ``rate`` is ``"20 %"`` or ``"0.2"``. Raises ``BadTerms`` with all that is wrong."""
    problems = []
    if terms not in TERMS:
        problems.append(f"expected terms {' or '.join(TERMS)}, found {terms[:40]!r}")
    share = _share(rate) if isinstance(rate, str) else rate
    if share is None:
        problems.append(f"expected a rate like '20 %' or 0.2, found {str(rate)[:40]!r}")
    elif not (share.is_finite() and 0 <= share <= 1 and share == round(share, 6)):
        problems.append(f"expected a rate from 0 to 100 % with at most 4 decimals, found {str(rate)[:40]!r}")
    if problems or share is None:
        raise BadTerms("these are no terms for a partner", problems=problems)
    return share


def _share(text: str) -> Decimal | None:
    words = text.strip()
    try:
        return Decimal(words[:-1].strip()).scaleb(-2) if words.endswith("%") else Decimal(words)
    except InvalidOperation:
        return None
