"""Wrong sign-ins are counted by address, so that nobody guesses fast."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

#: Wrong ones in a row that an address may have at once, and the seconds after which it gets one back.
BURST, REFILL_SECONDS = 10, 6
_MOST_ADDRESSES = 10_000
#: Counted like an address, and none.
_EVERYBODY = "*"


class Attempts:
    """A bucket of wrong sign-ins per address, in this process; forgets the addresses it has not seen for longest."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        #: Address -> moment at which its bucket is empty again.
        self._full: OrderedDict[str, float] = OrderedDict()

    def wait(self, address: str) -> int:
        """Seconds until this address may try again, 0 for now."""
        with self._lock:
            ahead = self._full.get(address, 0.0) - self._clock()
        over = ahead - (BURST - 1) * REFILL_SECONDS
        return max(0, -int(-over // 1))

    def worth_a_note(self) -> bool:
        """Whether a wrong one is to be written down: a flood of them, from however many addresses, fills no books."""
        if self.wait(_EVERYBODY):
            return False
        self.failed(_EVERYBODY)
        return True

    def failed(self, address: str) -> None:
        """A wrong one."""
        with self._lock:
            now = self._clock()
            self._full[address] = max(self._full.pop(address, now), now) + REFILL_SECONDS
            while len(self._full) > _MOST_ADDRESSES:
                self._full.popitem(last=False)


def network_of(address: str) -> str:
    """The network that an address belongs to, which names nobody: the log keeps it for ever, and people are erased."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))
