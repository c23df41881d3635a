"""How much quota a process may borrow at once, and for how long: pure, like the rest of admission.

A lease is quota that is counted already and may be used without asking again. It saves the asking, so it is large
where there is plenty; where little is left there is none, and every call asks.
"""

from __future__ import annotations

from modelmint.commerce.admission import DAY, Account, Counters

#: Calls in one lease at most.
LARGEST = 2048
#: A lease is at most this part of what is left, so that many processes together lend out little.
PART = 64
#: A smaller lease would cost more than it saves.
SMALLEST = 4


def lease_size(left: int | None) -> int:
    """Calls to lend where ``left`` are left (None: no limit); 0 for none."""
    if left is None:
        return LARGEST
    size = min(left // PART, LARGEST)
    return size if size >= SMALLEST else 0


def may_lend(account: Account) -> bool:
    """Whether calls of this account can be admitted from a lease: a rate is counted call by call."""
    return account.plan is not None and account.plan.calls_per_minute is None


def lease_ends_at(account: Account, counters: Counters, period_ends_at: int) -> int:
    """Until when what was decided for ``account`` stands, whatever the clock does: its key's expiry apart."""
    ends = [period_ends_at]
    plan = account.plan
    if plan is not None and plan.days is not None:
        ends.append(counters.since + plan.days * DAY)
    if account.span_ends_at is not None:
        ends.append(account.span_ends_at)
    if plan is not None and plan.prepaid and account.prepaid_until is not None:
        ends.append(account.prepaid_until)
    return min(ends)


def room(account: Account, counters: Counters, month: int) -> int | None:
    """Calls left before the plan refuses, None where it has no limit; ``month`` as in ``decide``."""
    plan, left = account.plan, []
    if plan is None:
        return 0
    if plan.free_calls is not None:
        left.append(plan.free_calls - counters.lifetime_calls)
    if plan.max_calls is not None:
        left.append(plan.max_calls - (counters.month_calls if month <= counters.month else 0))
    if plan.prepaid:
        left.append((account.prepaid_calls or 0) - counters.lifetime_calls)
    return min(left, default=None)
