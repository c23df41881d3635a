"""Before a call runs: admit and count it, or leave the row of its refusal."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from modelmint.commerce.admission import Account, decide, rate_left
from modelmint.commerce.errors import IdempotencyMismatch, InProgress, Unauthenticated
from modelmint.commerce.repository import Ticket
from modelmint.commerce.types import AdmissionRequest, Admitted, Outcome, Plan
from modelmint.kit.errors import ModelmintError
from modelmint.kit.ids import new_id
from modelmint.store.batch import Batch
from modelmint.store.hot_rows import Reservation
from modelmint.store.operation import REPLAYED, Pending

#: Answers of idempotent calls are kept this long, in microseconds.
ANSWERS_LAST = 24 * 3600 * 1_000_000


class Reserve:
    """Admit a call and count it, or refuse it with the row that a refused call leaves."""

    def __init__(self, request: AdmissionRequest, owner: str, lease: int) -> None:
        self.request = request
        self._owner = owner
        self._lease = lease
        self._admitted: Pending[Admitted] = Pending()
        self._durable: Pending[None] = Pending()
        self.ticket = Ticket(self._admitted.future, self._durable.future)

    def digests(self) -> list[str]:
        return [] if self.request.key_digest is None else [self.request.key_digest]

    def reservations(self) -> list[str]:
        return []

    def apply(self, batch: Batch) -> None:
        self._admitted.reset()
        try:
            account = batch.account(self.request.key_digest)
        except Unauthenticated as refusal:
            self._admitted.problem = refusal.with_traceback(None)
            return
        try:
            self._admitted.value = self._admit(batch, account)
        except ModelmintError as refusal:
            self._admitted.problem = refusal.with_traceback(None)
            batch.book(_refusal(batch, account, self.request, refusal.status or 422, refusal.code), account.anchor)

    def _admit(self, batch: Batch, account: Account) -> Admitted:
        request = self.request
        replay = self._replay(batch, account)
        if replay is not None:
            return replay
        counters = None if account.subscription is None else batch.counters[account.subscription]
        grant = decide(account, counters, request, batch.now, batch.month_of(account.anchor), batch.offers)
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
        batch.count(subscription, grant.counters)
        batch.reserve(reservation, self._owner, batch.now + self._lease)
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
        self._done: Pending[None] = Pending()
        self.future = self._done.future

    def digests(self) -> list[str]:
        return [] if self._request.key_digest is None else [self._request.key_digest]

    def reservations(self) -> list[str]:
        return []

    def apply(self, batch: Batch) -> None:
        self._done.reset()
        try:
            account = batch.account(self._request.key_digest)
        except Unauthenticated as refusal:
            self._done.problem = refusal.with_traceback(None)
            return
        batch.book(_refusal(batch, account, self._request, self._status, self._code), account.anchor)

    def decided(self) -> None:
        if self._done.problem is not None:
            self._done.resolve()

    def durable(self) -> None:
        self._done.resolve()

    def failed(self, error: BaseException) -> None:
        self._done.fail(error)


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
