"""What can go wrong when money is taken."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, InvalidInput, NotFound, PreconditionFailed, Unavailable


class UnknownProvider(NotFound):
    """Payments are not taken by this provider here."""

    code = "unknown_payment_provider"


class NoProvider(PreconditionFailed):
    """The venture names no payment provider."""

    code = "no_payment_provider"


class MissingSecret(PreconditionFailed):
    """A payment provider's secret is not in the environment."""

    code = "missing_payment_secret"


class ProviderUnavailable(Unavailable):
    """The payment provider cannot be reached, or does not know what became of a request."""

    code = "payment_provider_unavailable"


class ProviderRefused(PreconditionFailed):
    """The payment provider understood a request and will not do it."""

    code = "payment_provider_refused"


class AmountNotChargeable(InvalidInput):
    """The provider cannot charge exactly this amount in this currency."""

    code = "amount_not_chargeable"


class NothingDue(Conflict):
    """Nothing is owed on the invoice: paid, void, or covered by credit."""

    code = "nothing_due"


class PaymentUnderWay(Conflict):
    """A payment of the invoice is under way; its outcome is awaited."""

    code = "payment_under_way"


class BadPaymentEvent(InvalidInput):
    """An authentic webhook of a payment provider that cannot be read."""

    code = "bad_payment_event"
