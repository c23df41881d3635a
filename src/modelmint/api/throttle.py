"""How much one caller may ask of a process, so that the others are served meanwhile. All constants stand here.

Paid calls are not counted here: their rate is the plan's. The founder is not counted at all. What is counted is in
memory and in each process by itself.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Scope

from modelmint.api.errors import BadHeader, TooManyRequests
from modelmint.api.identity import bearer, is_admin
from modelmint.commerce.errors import Unauthenticated
from modelmint.kit.digest import digest_bytes

#: Requests a second to JSON routes, and at once after a silence: of one key, and of one address without a valid one.
RATE, BURST = 20, 60
#: Usage events a second of one customer, beyond what a batch may hold at once.
EVENTS_PER_SECOND = 5_000
#: Batches of one customer that may wait for their turn.
BATCHES_WAITING = 8
#: Between two batches, of whomever, paid calls have this many times as long as the former batch took.
REST = 1
#: Bytes of a body up to which it is recorded without waiting for a turn of the house.
SMALL_BATCH = 64 * 1024
#: Bytes that an event takes at least, for what turned out to hold none.
SMALLEST_EVENT = 256
_MOST_NAMES = 20_000

Clock = Callable[[], float]


class Buckets:
    """A token bucket per name (GCRA); forgets the names that it has not seen for longest."""

    def __init__(self, clock: Clock = time.monotonic, rate: int = RATE, burst: int = BURST) -> None:
        self._clock, self._each, self._ahead = clock, 1 / rate, (burst - 1) / rate
        self._lock = threading.Lock()
        #: Name -> moment at which its bucket is full again.
        self._full: OrderedDict[str, float] = OrderedDict()

    def __contains__(self, name: str) -> bool:
        return name in self._full

    def wait(self, name: str) -> float:
        """Seconds until the bucket holds a token, 0 where it does."""
        return max(0.0, self._full.get(name, 0.0) - self._clock() - self._ahead)

    def take(self, name: str) -> None:
        """Take a token, whether it is there or not."""
        with self._lock:
            now = self._clock()
            full = max(self._full.pop(name, now), now) + self._each
            # An empty bucket gets no emptier: whoever goes on knocking may come in when the wait told is over.
            self._full[name] = min(full, now + self._ahead + self._each)
            while len(self._full) > _MOST_NAMES:
                self._full.popitem(last=False)

    def forget(self, name: str) -> None:
        """It is no name of ours any more."""
        with self._lock:
            self._full.pop(name, None)


class Throttle:
    """Of one process: buckets of the keys that were found valid here, and of addresses."""

    def __init__(self, admin_token: str, clock: Clock = time.monotonic) -> None:
        self._admin, self._keys, self._addresses = admin_token, Buckets(clock), Buckets(clock)

    def enter(self, scope: Scope, *, counted: bool) -> Visit:
        """A request begins; raises ``TooManyRequests``.

        ``counted``: an anonymous one costs its address a token in any case, else only where it is refused.
        """
        try:
            token = bearer(scope)
        except BadHeader:  # the route says so
            token = None
        if token is not None and is_admin(token, self._admin):
            return Visit(self._keys, self._addresses, "", "")
        digest, address = "" if token is None else digest_bytes(token), address_of(scope)
        if digest in self._keys:
            _check(self._keys, digest, "of this key")
            self._keys.take(digest)
            return Visit(self._keys, self._addresses, digest, address, known=True)
        # Whoever tries keys out is stopped before the books are asked.
        _check(self._addresses, address, "of this address without a valid key")
        if counted:
            self._addresses.take(address)
        return Visit(self._keys, self._addresses, digest, "" if counted else address)


class Visit:
    """One request. It costs its key a token where that was found valid, else its address where it is refused."""

    def __init__(self, keys: Buckets, addresses: Buckets, digest: str, address: str, *, known: bool = False) -> None:
        self._keys, self._addresses, self._digest, self._address = keys, addresses, digest, address
        self._known = known

    def proved(self) -> None:
        """The key is valid."""
        if self._digest and not self._known:
            self._keys.take(self._digest)
            self._known = True

    def refused(self, error: BaseException) -> None:
        """It ended in an error."""
        if isinstance(error, Unauthenticated) and self._known:
            self._keys.forget(self._digest)
            self._known = False
        if self._address and not self._known:
            self._addresses.take(self._address)


def _check(buckets: Buckets, name: str, whose: str) -> None:
    wait = buckets.wait(name)
    if wait > 0:
        raise TooManyRequests(
            f"expected at most {RATE} requests a second {whose}, and {BURST} at once, found more; wait",
            details={"limit": RATE, "burst": BURST},
            retry_after=wait,
        )


def address_of(scope: Scope) -> str:
    """The caller's address, of IPv6 its network. The server has put it there, behind a proxy that it believes too."""
    client = scope.get("client")
    return _network(str(client[0])[:64]) if client else ""


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, 64), strict=False))  # one household or server has all of it
