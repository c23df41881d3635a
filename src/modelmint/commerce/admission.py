"""Whether a call may run: one pure function, applied by ``store`` inside the transaction that counts it.

Times are whole microseconds since 1970 UTC here, because this runs for every call.

The rate limit is the generic cell rate algorithm (GCRA; ITU-T I.371, "virtual scheduling"): one number per
subscription, the theoretical arrival time of the next call. A plan of n calls a minute is a bucket of n calls
that refills evenly, one every 60/n seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelmint.commerce.catalog import for_sale
from modelmint.commerce.errors import (
    BadCall,
    CallExceedsRate,
    CreditSpent,
    NoPlan,
    PaymentRequired,
    QuotaSpent,
    RateLimited,
    SubscriptionPaused,
    TrialSpent,
    Unauthenticated,
)
from modelmint.commerce.people.scopes import require_of
from modelmint.commerce.plan_terms import terms_of
from modelmint.commerce.types import AdmissionRequest, Plan

SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE

#: In the details of a refusal: calls that are left, where the request needs more than that.
LEFT = "left"
#: How many plans to buy the words of a refusal spell out; its details name all.
MOST_NAMED = 5
#: The scope that a key needs for paid calls.
PREDICT = "predict"

#: Looks up the plans on sale; only a refusal needs them.
Offers = Callable[[], Sequence[Plan]]


@dataclass(frozen=True, slots=True)
class Counters:
    """What a subscription has used, calls under way included."""

    #: Calls on this plan since the customer first held it.
    lifetime_calls: int
    #: When the customer first held this plan.
    since: int
    #: First moment of the billing period that ``month_calls`` counts.
    month: int
    month_calls: int
    #: Theoretical arrival time of the next call (GCRA).
    next_call: int


@dataclass(frozen=True, slots=True)
class Account:
    """What admission knows of the caller."""

    customer: str
    key: str
    revoked: bool
    subscription: str | None
    plan: Plan | None
    #: When the key ends, None where it does not.
    expires_at: int | None = None
    scopes: tuple[str, ...] = (PREDICT,)
    #: Day of the month on which the customer's billing periods begin.
    anchor: int = 1
    paused: bool = False
    #: When the span of the plan ends, None where no end is known.
    span_ends_at: int | None = None
    #: Prepaid plans: ``Counters.lifetime_calls`` may rise to this until then; None elsewhere.
    prepaid_calls: int | None = None
    prepaid_until: int | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """The call may run; ``counters`` replace the former ones."""

    counters: Counters
    remaining: int | None
    rate_limit: int | None


def authenticate(account: Account | None, *, presented: bool, now: int) -> Account:
    """The account of a key that is valid at ``now``; raises ``Unauthenticated``."""
    if account is None:
        found = "an unknown key" if presented else "no key"
        raise Unauthenticated(f"expected 'Authorization: Bearer mm_...' with a valid key, found {found}")
    if account.revoked:
        raise Unauthenticated("this key was revoked; use another or ask for a new one")
    if account.expires_at is not None and now >= account.expires_at:
        raise Unauthenticated("this key has expired; use the one that replaced it or ask for a new one")
    return account


def decide(
    account: Account,
    counters: Counters | None,
    request: AdmissionRequest,
    now: int,
    month: int,
    offers: Offers = tuple,
) -> Grant:
    """Admit ``request.calls`` calls at ``now`` or raise why not.

    ``counters`` are those of the account's subscription, ``month`` is the first moment of the billing period that
    holds ``now``, ``offers`` gives the plans on sale, to be named in a refusal. Raises ``KeyLacksScope`` (403),
    ``NoPlan``, ``SubscriptionPaused``, ``TrialSpent``, ``QuotaSpent``, ``CreditSpent`` (402), ``RateLimited``,
    ``CallExceedsRate`` (429), ``BadCall`` (422). Nothing is counted where it raises.
    """
    require_of(account.scopes, PREDICT)
    if request.calls < 1 or request.items < 0:
        raise BadCall(f"a call counts at least one call and no negative items; found {request.calls}, {request.items}")
    plan = account.plan
    if plan is None or counters is None:
        raise _pay(NoPlan, "you hold no plan", offers())
    if account.paused:
        raise SubscriptionPaused(f"your plan {plan.name!r} is paused; resume it to call again")
    # A clock that went back does not reset the month.
    month_calls = counters.month_calls if month <= counters.month else 0
    left = _left(account, plan, counters, month_calls, request.calls, now, offers)
    return Grant(
        Counters(
            lifetime_calls=counters.lifetime_calls + request.calls,
            since=counters.since,
            month=max(month, counters.month),
            month_calls=month_calls + request.calls,
            next_call=_next_call(plan, counters.next_call, request.calls, now),
        ),
        remaining=left,
        rate_limit=plan.calls_per_minute,
    )


def _left(
    account: Account, plan: Plan, counters: Counters, month_calls: int, calls: int, now: int, offers: Offers
) -> int | None:
    """Calls left after this one by the narrowest limit, None without any; raises where it does not fit."""
    left: list[int] = []
    if plan.days is not None and now >= counters.since + plan.days * DAY:
        raise _pay(TrialSpent, f"your {plan.days} days on plan {plan.name!r} are over", offers())
    if plan.free_calls is not None:
        left.append(plan.free_calls - counters.lifetime_calls - calls)
        if left[-1] < 0:
            text = _used_up(plan.name, plan.free_calls, "free calls", left[-1] + calls, calls)
            raise _pay(TrialSpent, text, offers(), left[-1] + calls)
    if plan.max_calls is not None:
        left.append(plan.max_calls - month_calls - calls)
        if left[-1] < 0:
            text = _used_up(plan.name, plan.max_calls, "calls this month", left[-1] + calls, calls)
            others = [offer for offer in offers() if offer.name != plan.name]
            raise _pay(QuotaSpent, text, others, left[-1] + calls)
    if plan.prepaid:
        covered = account.prepaid_calls or 0
        expired = account.prepaid_until is not None and now >= account.prepaid_until
        left.append((0 if expired else covered - counters.lifetime_calls) - calls)
        if left[-1] < 0:
            raise _no_credit(plan.name, max(left[-1] + calls, 0), calls)
    return min(left, default=None)


def _no_credit(plan: str, left: int, calls: int) -> CreditSpent:
    return CreditSpent(
        f"the prepaid credit on plan {plan!r} covers {left} more calls, this request needs {calls}; buy credit first",
        details={LEFT: left},
    )


def _used_up(plan: str, limit: int, unit: str, left: int, calls: int) -> str:
    if left > 0:
        return f"plan {plan!r} has {left} of {limit} {unit} left, this request needs {calls}"
    return f"plan {plan!r} has {limit} {unit}; all are used"


def _next_call(plan: Plan, next_call: int, calls: int, now: int) -> int:
    """The theoretical arrival time after ``calls`` calls at ``now``."""
    limit = plan.calls_per_minute
    if limit is None:
        return next_call
    if calls > limit:
        raise CallExceedsRate(
            f"plan {plan.name!r} allows {limit} calls a minute, this one request counts {calls}; "
            f"send at most {limit} in one request",
            details={"limit": limit},
        )
    interval = -(-MINUTE // limit)
    burst = interval * limit
    # No arrival time lies further ahead than a full bucket unless the clock went back: then the bucket starts anew.
    arrival = (next_call if now < next_call <= now + burst else now) + calls * interval
    wait = arrival - now - burst
    if wait > 0:
        seconds = -(-wait // SECOND)
        raise RateLimited(
            f"plan {plan.name!r} allows {limit} calls a minute; try again in {seconds} s",
            details={"limit": limit},
            retry_after=seconds,
        )
    return arrival


def rate_left(plan: Plan, next_call: int, now: int) -> tuple[int | None, int | None]:
    """Calls that the rate would admit at ``now``, and whole seconds until all of it is back; None without a rate."""
    limit = plan.calls_per_minute
    if limit is None:
        return None, None
    interval = -(-MINUTE // limit)
    ahead = max(next_call - now, 0)
    return max((interval * limit - ahead) // interval, 0), -(-ahead // SECOND)


def give_back(counters: Counters, calls: int, month: int) -> Counters:
    """Counters after ``calls`` reserved in ``month`` did not happen. The rate is not given back."""
    return Counters(
        lifetime_calls=max(counters.lifetime_calls - calls, 0),
        since=counters.since,
        month=counters.month,
        month_calls=max(counters.month_calls - calls, 0) if month == counters.month else counters.month_calls,
        next_call=counters.next_call,
    )


def _pay(leaf: type[PaymentRequired], text: str, offers: Sequence[Plan], left: int | None = None) -> PaymentRequired:
    sold = for_sale(offers)
    named = [f"{plan.name} ({terms_of(plan)})" for plan in sold[:MOST_NAMED]]
    if len(sold) > MOST_NAMED:
        named.append(f"and {len(sold) - MOST_NAMED} more")
    buy = "; ".join(named)
    return leaf(
        f"{text}. {'Plans to buy: ' + buy if buy else 'No plan is on sale; ask the seller'}",
        details={
            "plans": [plan.name for plan in sold],
            "offers": [{"plan": plan.name, "title": plan.title, "terms": terms_of(plan)} for plan in sold],
            **({} if left is None else {LEFT: max(left, 0)}),
        },
    )
