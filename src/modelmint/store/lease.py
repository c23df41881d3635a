"""A lease that this process holds, and a call under way."""

from __future__ import annotations

from dataclasses import dataclass

from modelmint.commerce.admission import Account
from modelmint.kit.ids import new_id


class Lease:
    """One row of ``leases`` and what this process did with it. ``Leases.lock`` guards it."""

    __slots__ = (
        "account", "digests", "ends_at", "granted", "id", "is_doubtful", "is_open", "last_used", "left", "month",
        "renew_at", "size", "starts_at", "unused",
    )  # fmt: skip

    def __init__(self, account: Account, month: int, starts_at: int, ends_at: int, renew_at: int) -> None:
        self.id = new_id("lea")
        self.account = account
        #: The billing period whose calls it holds, and between which moments it may be used.
        self.month, self.starts_at, self.ends_at = month, starts_at, ends_at
        #: When it is given back although it is used, so that its row never looks forgotten.
        self.renew_at = renew_at
        #: Calls left of the plan when it was last asked, beyond the lease; None without a limit.
        self.left: int | None = None
        #: What its row says, as long as nobody else removed it.
        self.granted = 0
        #: How many calls were lent last, and how many nobody has begun.
        self.size = self.unused = 0
        #: False: nobody starts a call on it any more; it is to be given back.
        self.is_open = True
        #: True: a batch with its calls failed, and the database may have kept it all the same.
        self.is_doubtful = False
        self.last_used = 0.0
        self.digests: set[str] = set()

    @property
    def subscription(self) -> str:
        """Whose quota it is."""
        return self.account.subscription or ""

    @property
    def is_low(self) -> bool:
        """Whether more should be lent."""
        return self.is_open and self.unused * 2 < self.size


@dataclass(slots=True)
class Reservation:
    """A call under way: a row of ``reservations``, or a call on a lease, which this process alone knows."""

    id: str
    customer: str
    key: str
    subscription: str
    model: str
    calls: int
    items: int
    month: int
    idempotency_key: str | None
    #: The lease that it runs on, None for a row; and when it began.
    lease: Lease | None = None
    began: int = 0
