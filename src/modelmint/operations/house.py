"""The two customers who pay nothing: the founder trying the own product, and visitors of the trial page.

They are customers like all others, on plans like all others (ADR 0017), made the first time they are needed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from modelmint.commerce.errors import CustomerExists, UnknownCustomer
from modelmint.commerce.people.actor import SYSTEM, acting
from modelmint.commerce.plan_table import plan_from
from modelmint.commerce.repository import Books
from modelmint.commerce.types import Customer, Key

HOUSE, VISITORS = "(house)", "(visitors)"
HOUSE_PLAN, VISITORS_PLAN = "house-tries", "trial-page"
_NO_END = 10**9
#: Days of the longest billing period.
_LONGEST_PERIOD = 31
_KEY = "page"
#: One of this process makes them; processes beside it may do so at the same time.
_alone = threading.Lock()


def house(books: Books) -> Key:
    """The key of the founder's own tries."""
    return _key_of(books, HOUSE, HOUSE_PLAN, {"title": "Own tries", "free_calls": _NO_END})


def visitors(books: Books, calls_per_day: int) -> Key:
    """The key of the trial page; its plan admits what ``calls_per_day`` comes to in the longest billing period."""
    most = calls_per_day * _LONGEST_PERIOD
    return _key_of(books, VISITORS, VISITORS_PLAN, {"title": "Trial page", "free_calls": _NO_END, "max_calls": most})


def _key_of(books: Books, name: str, plan: str, terms: Mapping[str, Any]) -> Key:
    with _alone, acting(SYSTEM):
        customer = _customer(books, name)
        wanted, _ = plan_from(plan, terms)
        held = books.contracts.current(customer.id)
        if held is None or (held.plan, held.plan_version) != (wanted.name, wanted.version):
            # Never on sale, not for a moment: nobody else can take it, and a plan of this name may be sold beside it.
            books.contracts.hold(customer.id, wanted)
        now = books.now()
        for key in books.keys(customer.id):
            if key.name == _KEY and key.revoked_at is None and (key.expires_at is None or key.expires_at > now):
                return key
        return books.add_key(customer.id, _KEY, ("predict", "usage"))[0]


def _customer(books: Books, name: str) -> Customer:
    try:
        return books.customer(name)
    except UnknownCustomer:
        try:
            return books.add_customer(name, "")
        except CustomerExists:  # another process was faster
            return books.customer(name)
