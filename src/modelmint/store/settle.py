"""After a call ran: its outcome, once, and what it did not use given back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from modelmint.commerce.errors import BadSettlement, UnknownReservation
from modelmint.commerce.types import Outcome, Settlement
from modelmint.kit.errors import ModelmintError
from modelmint.store.batch import Batch
from modelmint.store.lease import Reservation
from modelmint.store.operation import RELEASED
from modelmint.store.pending import Pending

_MICROSECOND = Decimal("0.001")


class Settle:
    """End a reserved call. The same settlement twice is one outcome."""

    def __init__(self, settlement: Settlement, *, release: bool = False) -> None:
        self.settlement = settlement
        self._release = release
        #: Whether this operation was the one that ended the reservation.
        self.ended = False
        self.waits = self.tells_early = False
        self.future: Pending[Outcome] = Pending()

    def digests(self) -> list[str]:
        return []

    def reservations(self) -> list[str]:
        return [self.settlement.reservation]

    def apply(self, batch: Batch) -> None:
        self.ended = False
        self.future.reset()
        try:
            self.future.value = self._settle(batch)
        except ModelmintError as problem:
            self.future.problem = problem.with_traceback(None)

    def _settle(self, batch: Batch) -> Outcome:
        wanted = self.settlement
        reservation = batch.call_under_way(wanted.reservation)
        if reservation is None:
            return self._earlier(batch)
        if self._release and (known := batch.earlier_outcome(reservation.id)) is not None:
            batch.drop(reservation)  # settled, and then its process died before it took that in
            return known
        outcome, unused = self.outcome(reservation, batch.booked_at)
        if reservation.idempotency_key is not None:
            answer = (wanted.answer or b"") if outcome.billable else None
            batch.close_answer(reservation.customer, reservation.idempotency_key, answer)
        batch.end(reservation, outcome, unused)
        self.ended = True
        return outcome

    def outcome(self, reservation: Reservation, booked_at: datetime) -> tuple[Outcome, int]:
        """The row that the call leaves, and how many of its calls it did not use; raises ``BadSettlement``."""
        wanted = self.settlement
        billable = wanted.status == 200
        calls, items = wanted.calls or reservation.calls, wanted.items or reservation.items
        if not 0 < calls <= reservation.calls or items < 0 or wanted.compute_ms < 0 or _is_negative(wanted):
            raise BadSettlement(
                f"expected 1 to {reservation.calls} calls and nothing negative, found {calls} calls, {items} items, "
                f"{wanted.compute_ms} ms"
            )
        unused = reservation.calls - calls if billable else reservation.calls
        outcome = Outcome(
            reservation.id,
            reservation.customer,
            reservation.key,
            reservation.subscription,
            reservation.model,
            booked_at,
            wanted.status,
            wanted.code,
            billable,
            calls,
            items,
            wanted.compute_ms.quantize(_MICROSECOND),
            wanted.release,
            wanted.variant,
            wanted.prediction,
            wanted.state if billable else "",
            wanted.pixels,
            wanted.characters,
            wanted.tokens,
            wanted.explanations,
            wanted.wall_ms.quantize(_MICROSECOND),
        )
        return outcome, unused

    def settled(self, outcome: Outcome) -> None:
        """It is written; what the call came to is told when that is durable."""
        self.future.value = outcome
        self.ended = True

    def _earlier(self, batch: Batch) -> Outcome:
        found = batch.earlier_outcome(self.settlement.reservation)
        if found is not None and (found.code != RELEASED or self._release):
            return found
        if found is not None:
            raise UnknownReservation(
                f"reservation {found.id} was open for too long and was released; the call is not billed, "
                "its answer must not go out"
            )
        raise UnknownReservation(f"no reservation {self.settlement.reservation!r} was made here")

    def decided(self) -> None:
        return None

    def durable(self) -> None:
        self.future.resolve()

    def failed(self, error: BaseException) -> None:
        self.future.fail(error)


class Release:
    """Give back the leases of processes that are dead or silent for long."""

    def __init__(self, leases: Sequence[str]) -> None:
        self._leases = leases
        self.waits = self.tells_early = False
        self.future: Pending[None] = Pending()

    def digests(self) -> list[str]:
        return []

    def reservations(self) -> list[str]:
        return []

    def apply(self, batch: Batch) -> None:
        self.future.reset()
        batch.lending.release(self._leases)

    def decided(self) -> None:
        return None

    def durable(self) -> None:
        self.future.resolve()

    def failed(self, error: BaseException) -> None:
        self.future.fail(error)


def _is_negative(wanted: Settlement) -> bool:
    return min(wanted.pixels, wanted.characters, wanted.tokens, wanted.explanations) < 0 or wanted.wall_ms < 0
