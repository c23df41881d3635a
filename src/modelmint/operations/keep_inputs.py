"""Keeping what customers sent, where the venture and the customer agreed: after the answer left, never in its way.

Calls are offered with one append to a bounded queue; a thread of its own asks for consent, seals and writes. What does
not fit, or cannot be written, is not kept: no call fails or waits for it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from modelmint.commerce.repository import Books
from modelmint.monitoring.inputs.folder import InputFolder
from modelmint.monitoring.inputs.types import Input, KeepRules

_log = logging.getLogger(__name__)
#: Bytes of inputs that may wait to be written.
MOST_WAITING = 64 * 2**20
_TOGETHER = 32


@dataclass(frozen=True, slots=True)
class Offer:
    """A call that was answered and settled."""

    customer: str
    prediction: str
    model: str
    release: str
    payloads: Sequence[bytes]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(map(len, self.payloads))

    def inputs(self) -> list[Input]:
        """One for each payload, named as in the answer."""
        several = len(self.payloads) > 1
        return [
            Input(
                f"{self.prediction}.{place}" if several else self.prediction,
                self.customer,
                self.model,
                self.release,
                content,
            )
            for place, content in enumerate(self.payloads)
        ]


class Keeper:
    """Of one server process. ``kept`` and ``dropped`` count inputs since it began."""

    def __init__(self, books: Books, folder: InputFolder, rules: KeepRules, most_waiting: int = MOST_WAITING) -> None:
        self._books, self._folder, self._rules, self._most = books, folder, rules, most_waiting
        self._bound = int(rules.share * 2**32)
        self._waiting: deque[Offer] = deque()
        self._bytes = 0
        self._change = threading.Condition()
        self._ended = False
        self._told_of_room = False
        self.kept = self.dropped = 0
        self._thread = threading.Thread(target=self._run, name="keep-inputs", daemon=True)
        self._thread.start()

    def offer(self, offer: Offer) -> None:
        """Take note of an answered call; returns at once and never raises."""
        if not offer.payloads or not self._chosen(offer.prediction):
            return
        size = offer.size
        with self._change:
            if self._ended or self._bytes + size > self._most:
                self.dropped += len(offer.payloads)
                return
            self._bytes += size
            self._waiting.append(offer)
            self._change.notify()

    def _chosen(self, prediction: str) -> bool:
        """Whether the call is of the share that is kept; by its name, so that nobody can tell beforehand."""
        drawn = int.from_bytes(hashlib.sha256(prediction.encode()).digest()[:4], "big")
        return drawn < self._bound

    def _run(self) -> None:
        while True:
            with self._change:
                while not self._waiting and not self._ended:
                    self._change.wait()
                if not self._waiting:
                    return
                offers = [self._waiting.popleft() for _ in range(min(_TOGETHER, len(self._waiting)))]
            try:
                self._keep(offers)
            except Exception:  # the disk is full, the books are away: the calls are answered and paid all the same
                self.dropped += sum(len(offer.payloads) for offer in offers)
                _log.exception("inputs of %d calls were not kept", len(offers))
            finally:
                with self._change:
                    self._bytes -= sum(offer.size for offer in offers)

    def _keep(self, offers: Sequence[Offer]) -> None:
        with self._folder.locked():
            consenting = self._books.people.consenting(among={offer.customer for offer in offers})
            day = self._books.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            for one in [one for offer in offers if offer.customer in consenting for one in offer.inputs()]:
                if self._folder.put(one, day, self._rules.most_bytes):
                    self.kept += 1
                    continue
                self.dropped += 1
                if not self._told_of_room:
                    _log.warning("no room for more stored inputs: [privacy] max_mib is reached")
                    self._told_of_room = True

    def close(self) -> None:
        """Write what waits and end."""
        with self._change:
            self._ended = True
            self._change.notify()
        self._thread.join()


def sweep(books: Books, folder: InputFolder, keep_days: int) -> int:
    """Delete what is too old, and what nobody consents to any more; how many."""
    if not folder.path.is_dir():
        return 0
    with folder.locked():
        return folder.sweep(books.now(), keep_days, books.people.consenting())


def withdraw(books: Books, folder: InputFolder, customer: str) -> int:
    """The customer takes its consent back: nothing is kept from now on, and what was kept goes; how many."""
    found = books.customer(customer)
    books.people.set_consent(found.id, False)
    return folder.forget(found.id)
