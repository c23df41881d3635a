"""What can go wrong when calls are admitted, metered and billed."""

from __future__ import annotations

from modelmint.kit.errors import (
    Conflict,
    Corrupted,
    InvalidInput,
    LimitExceeded,
    NotAllowed,
    NotFound,
    PreconditionFailed,
)


class Unauthenticated(NotAllowed):
    """No key, an unknown key or a revoked one."""

    code = "unauthenticated"
    status = 401


class PaymentRequired(PreconditionFailed):
    """The customer's plan does not cover the call; ``details["plans"]`` names the plans to buy."""

    code = "payment_required"
    status = 402


class NoPlan(PaymentRequired):
    """The customer holds no plan."""

    code = "no_plan"


class TrialSpent(PaymentRequired):
    """The free calls or the days of a trial are used up."""

    code = "trial_spent"


class QuotaSpent(PaymentRequired):
    """The plan's calls for this month are used up."""

    code = "quota_spent"


class CreditSpent(PaymentRequired):
    """The prepaid credit does not cover the call, or it has expired."""

    code = "credit_spent"


class SubscriptionPaused(PaymentRequired):
    """The subscription is paused and admits no call until it is resumed."""

    code = "subscription_paused"


class RateLimited(LimitExceeded):
    """More calls a minute than the plan allows; ``retry_after`` says when the next one fits."""

    code = "rate_limited"
    status = 429


class CallExceedsRate(LimitExceeded):
    """One call asks for more than the plan's whole minute; waiting does not help, splitting does."""

    code = "call_exceeds_rate"
    status = 429


class BadCall(InvalidInput):
    """A call that counts nothing or less than nothing."""

    code = "bad_call"
    status = 422


class BadSettlement(InvalidInput):
    """A settlement that does not fit its reservation."""

    code = "bad_settlement"


class BadName(InvalidInput):
    """A name of a customer or a key that is empty, too long, more than a line, or looks like an id."""

    code = "bad_name"


class UnknownCustomer(NotFound):
    """No customer has this id or name."""

    code = "unknown_customer"


class UnknownKey(NotFound):
    """No key has this id."""

    code = "unknown_key"


class UnknownPlan(NotFound):
    """No plan has this name, or this version."""

    code = "unknown_plan"


class PlanInFile(Conflict):
    """The venture file states this plan; what is put through the API would not outlast the next start."""

    code = "plan_in_file"


class BadPlan(InvalidInput):
    """A plan that cannot be sold as it is written; ``problems`` names every key."""

    code = "bad_plan"


class NothingHeld(Conflict):
    """The customer holds no plan at that moment: there is nothing to pause, resume or cancel."""

    code = "nothing_held"


class MomentNotAhead(InvalidInput):
    """A change is to happen now, at the period's end or at a moment to come; this one is past or is none."""

    code = "moment_not_ahead"


class MomentTooFar(InvalidInput):
    """A change is to happen later than anybody can plan for."""

    code = "moment_too_far"


class OnlyAtPeriodEnd(Conflict):
    """Customers give up what they pay a fee for, or hold less of it, from the end of a billing period on."""

    code = "only_at_period_end"


class TooManyChanges(Conflict):
    """The plan was changed, or was planned to change, as often as one billing period allows."""

    code = "too_many_changes"


class UnknownInvoice(NotFound):
    """No invoice has this id or number."""

    code = "unknown_invoice"


class UnknownReservation(NotFound):
    """A settlement for a reservation that was never made, or was released after a crash."""

    code = "unknown_reservation"


class CustomerExists(Conflict):
    """A customer of this name exists already."""

    code = "customer_exists"


class IdempotencyMismatch(Conflict):
    """An idempotency key came back with another request."""

    code = "idempotency_mismatch"
    status = 422


class InProgress(Conflict):
    """The first call with this idempotency key is still under way."""

    code = "in_progress"
    status = 409


class PeriodNotOver(Conflict):
    """A period is closed when it has ended, or explicitly until now."""

    code = "period_not_over"


class EarlierPeriodOpen(Conflict):
    """Periods are closed in order; an earlier one still holds something to bill."""

    code = "earlier_period_open"


class Unbalanced(Corrupted):
    """The legs of a ledger transaction do not sum to zero."""

    code = "ledger_unbalanced"


class UnknownLanguage(InvalidInput):
    """An invoice is asked for in a language it is not written in."""

    code = "unknown_language"
