"""Before a call runs: admit and count it, or leave the row of its refusal."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from modelmint.commerce.admission import LEFT, Account, Grant, decide, rate_left
from modelmint.commerce.errors import CreditSpent, IdempotencyMismatch, InProgress, PaymentRequired, Unauthenticated
from modelmint.commerce.repository import Ticket
from modelmint.commerce.types import AdmissionRequest, Admitted, Outcome, Plan
from modelmint.kit.errors import ModelmintError
from modelmint.kit.ids import new_id
from modelmint.store.batch import Batch
from modelmint.store.lease import Reservation
from modelmint.store.leases import BOUND, steady
from modelmint.store.operation import REPLAYED
from modelmint.store.pending import Pending

#: Answers of idempotent calls are kept this long, in microseconds.
ANSWERS_LAST = 24 * 3600 * 1_000_000


class Reserve:
    """Admit a call and count it, or refuse it with the row that a refused call leaves."""

    def __init__(self, request: AdmissionRequest) -> None:
        self.request = request
        self.waits, self.tells_early = False, True
        self._refreshed = False
        self._give_up_at: float | None = None
        self._admitted: Pending[Admitted] = Pending()
        self._durable: Pending[None] = Pending()
        self.ticket = Ticket(self._admitted, self._durable)

    def digests(self) -> list[str]:
        return [] if self.request.key_digest is None else [self.request.key_digest]

    def reservations(self) -> list[str]:
        return []

    def apply(self, batch: Batch) -> None:
        self._admitted.reset()
        self.waits = False
        try:
            account = batch.account(self.request.key_digest)
        except Unauthenticated as refusal:
            self._admitted.problem = refusal.with_traceback(None)
            return
        try:
            self._admitted.value = self._admit(batch, account)
        except ModelmintError as refusal:
            self.waits = isinstance(refusal, PaymentRequired) and self._must_wait(batch, account, refusal)
            if self.waits:
                return
            self._admitted.problem = refusal.with_traceback(None)
            batch.book(_refusal(batch, account, self.request, refusal.status or 422, refusal.code), account.anchor)

    def _admit(self, batch: Batch, account: Account) -> Admitted:
        request = self.request
        replay = self._replay(batch, account)
        if replay is not None:
            return replay
        grant = self._decide(batch, account)
        # decide raises for a caller without a plan.
        subscription, plan = cast("str", account.subscription), cast("Plan", account.plan)
        reservation = Reservation(
            new_id("call"),
            account.customer,
            account.key,
            subscription,
            request.model,
            request.calls,
            request.items,
            grant.counters.month,
            request.idempotency_key,
        )
        batch.counts.put(subscription, grant.counters)
        batch.reserve(reservation)
        batch.lending.lend(account, request.key_digest or "", batch.now, batch.period_of(account.anchor)[1])
        if request.idempotency_key is not None:
            batch.open_answer(account.customer, request.idempotency_key, _fingerprint(request))
        return Admitted(
            reservation.id,
            account.customer,
            account.key,
            subscription,
            plan.name,
            grant.remaining,
            grant.rate_limit,
            None,
            *rate_left(plan, grant.counters.next_call, batch.now),
        )

    def _decide(self, batch: Batch, account: Account) -> Grant:
        """Admitted; raises the refusal. Before quota is refused, what was lent of it and is not used comes back."""
        subscription = account.subscription
        month, _ = batch.period_of(account.anchor)
        while True:
            try:
                counters = None if subscription is None else batch.counts.of(subscription)
                return decide(account, counters, self.request, batch.now, month, batch.offers)
            except PaymentRequired as refusal:
                if subscription is None or LEFT not in refusal.details or not batch.bring_back(subscription):
                    raise

    def _must_wait(self, batch: Batch, account: Account, refusal: PaymentRequired) -> bool:
        """Whether other processes have yet to say what they give back, or credit has yet to be looked at."""
        subscription = account.subscription
        if subscription is None:
            return False
        if batch.is_abroad(subscription):
            now = steady()
            self._give_up_at = self._give_up_at or now + BOUND
            if now < self._give_up_at:
                return True
        if isinstance(refusal, CreditSpent) and not self._refreshed and batch.memory.may_refresh(subscription):
            self._refreshed = True
            batch.refreshes.add(subscription)
            return True
        return False

    def _replay(self, batch: Batch, account: Account) -> Admitted | None:
        """The stored answer of an idempotent retry, None for a call to be made; raises for one under way."""
        key = self.request.idempotency_key
        known = None if key is None else batch.answer(account.customer, key)
        if known is None or known[2] + ANSWERS_LAST <= batch.now:
            return None
        fingerprint, answer, _ = known
        if fingerprint != _fingerprint(self.request):
            raise IdempotencyMismatch(
                f"idempotency key {key!r} came before with another request; use a new key for a new request"
            )
        if answer is None:
            raise InProgress(f"the first call with idempotency key {key!r} is under way; ask again", retry_after=1)
        row = _refusal(batch, account, self.request, 200, REPLAYED)
        batch.book(row, account.anchor)
        plan = "" if account.plan is None else account.plan.name
        return Admitted(row.id, account.customer, account.key, account.subscription or "", plan, None, None, answer)

    def decided(self) -> None:
        admitted = self._admitted.value
        stranger = isinstance(self._admitted.problem, Unauthenticated)
        if stranger or (admitted is not None and admitted.replay is None):
            self._admitted.resolve()

    def durable(self) -> None:
        self._admitted.resolve()
        self._durable.resolve()

    def failed(self, error: BaseException) -> None:
        self._admitted.fail(error)
        self._durable.fail(error)


class Refuse:
    """Leave the row of a call that was refused before admission."""

    def __init__(self, request: AdmissionRequest, status: int, code: str) -> None:
        self._request = request
        self._status = status
        self._code = code
        self.waits = self.tells_early = False
        self.future: Pending[None] = Pending()

    def digests(self) -> list[str]:
        return [] if self._request.key_digest is None else [self._request.key_digest]

    def reservations(self) -> list[str]:
        return []

    def apply(self, batch: Batch) -> None:
        self.future.reset()
        try:
            account = batch.account(self._request.key_digest)
        except Unauthenticated as refusal:
            self.future.problem = refusal.with_traceback(None)
            return
        batch.book(_refusal(batch, account, self._request, self._status, self._code), account.anchor)

    def decided(self) -> None:
        if self.future.problem is not None:
            self.future.resolve()

    def durable(self) -> None:
        self.future.resolve()

    def failed(self, error: BaseException) -> None:
        self.future.fail(error)


def _fingerprint(request: AdmissionRequest) -> str:
    """What must be the same in a retry."""
    return f"{request.model}|{request.calls}|{request.items}|{request.body_digest or ''}"


def _refusal(batch: Batch, account: Account, request: AdmissionRequest, status: int, code: str) -> Outcome:
    """The row of a call that counts nothing."""
    return Outcome(
        new_id("call"),
        account.customer,
        account.key,
        account.subscription,
        request.model,
        batch.booked_at,
        status,
        code,
        False,
        max(request.calls, 0),
        max(request.items, 0),
        Decimal(0),
        None,
        None,
        None,
    )
