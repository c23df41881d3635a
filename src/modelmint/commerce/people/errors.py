"""What can go wrong with keys, scopes and the people behind them."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, InvalidInput, NotAllowed


class KeyLacksScope(NotAllowed):
    """The key is valid and may not do this."""

    code = "key_lacks_scope"
    status = 403


class BadScope(InvalidInput):
    """Scopes that are none, unknown, or more than the caller may give."""

    code = "bad_scope"


class BadExpiry(InvalidInput):
    """A moment of expiry or an overlap that is none, or lies in the past."""

    code = "bad_expiry"


class KeyEnded(Conflict):
    """The key was revoked, replaced or has expired, so it cannot be rotated."""

    code = "key_ended"


class TooManyKeys(Conflict):
    """The customer has as many keys that work as one may have."""

    code = "too_many_keys"


class CustomerErased(Conflict):
    """The customer was erased; the books stand, nothing new begins."""

    code = "customer_erased"


class ErasureWaits(Conflict):
    """A customer cannot be erased while usage is unbilled or money is owed."""

    code = "erasure_waits"
