"""One paid call: reserve, run, settle. The answer leaves only after its outcome row is durable.

The steps are chained from thread to thread by futures (the books' writer, the lane's runner, the writer
again), so that a waiting call holds no thread and the caller is woken once, at the end.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from decimal import Decimal

from modelmint.commerce.repository import Books
from modelmint.commerce.types import AdmissionRequest, Admitted, Outcome, Settlement
from modelmint.kit.arrays import AnyArray
from modelmint.kit.errors import ModelmintError
from modelmint.operations.composing import Compose, Composed, answer_json
from modelmint.serving.call import rows_of
from modelmint.serving.errors import ClientGone, EngineFailed
from modelmint.serving.host import ModelHost
from modelmint.serving.types import Answer
from modelmint.tasks.predictions import noted, prediction_of

_log = logging.getLogger(__name__)
OK = 200
UNKNOWN_MODEL = "(unknown)"


@dataclass(frozen=True, slots=True)
class PredictRequest:
    """A call that was read and understood, not yet admitted."""

    model: str
    payloads: Sequence[bytes]
    #: sha256 of the presented secret, hex.
    key_digest: str
    idempotency_key: str | None = None
    body_digest: str | None = None
    #: False as soon as the caller hung up; asked before work starts and before the call is billed.
    wanted: Callable[[], bool] | None = None
    #: ``time.perf_counter()`` when the call arrived.
    arrived: float = field(default_factory=time.perf_counter)
    #: Whether each answer comes with its explanation.
    explain: bool = False
    #: Inputs that the caller encoded himself, ``[n, ...]``, in place of payloads.
    tensor: AnyArray | None = None
    #: Makes the answer's bytes; None for those of ``/v1``.
    compose: Compose | None = None

    @property
    def stored(self) -> bool:
        """Whether the answer's bytes are kept for a retry."""
        return self.idempotency_key is not None

    @property
    def items(self) -> int:
        """Inputs of the call."""
        return len(self.payloads) if self.tensor is None else rows_of(self.tensor)

    @property
    def wall_ms(self) -> Decimal:
        """Since it arrived, to the microsecond."""
        return Decimal(int((time.perf_counter() - self.arrived) * 1_000_000)).scaleb(-3)


@dataclass(frozen=True, slots=True)
class PredictReply:
    """The answer's bytes (JSON) as they stand in the books, and what admission said."""

    body: bytes
    admitted: Admitted
    replayed: bool


#: Told of every call that was answered and settled, after the answer is on its way; must return at once.
Answered = Callable[[PredictRequest, Composed], None]


class Predict:
    """The operation, bound to the books and to the host of this process.

    ``status_of`` is the edge's table from an error to the status that its outcome row carries.
    """

    def __init__(
        self,
        books: Books,
        host: ModelHost,
        status_of: Callable[[ModelmintError], int],
        answered: Answered | None = None,
    ) -> None:
        self.books, self.host, self.status_of, self.answered = books, host, status_of, answered

    def __call__(self, request: PredictRequest) -> Future[PredictReply]:
        """Never raises; the future raises the refusal or failure, once its outcome row is durable.

        ``Unauthenticated`` leaves no row. Only a resolved reply is billed.
        """
        return _Run(self, request).start()

    def refuse(self, request: AdmissionRequest, error: ModelmintError) -> Future[None]:
        """Leave the outcome row of a call that fails before admission; raises ``Unauthenticated`` instead."""
        return self.books.refuse(request, self.status_of(error), error.code)


class _Run:
    """One call on its way. Each ``_on_*`` is a future's callback and resolves ``reply`` whatever happens."""

    __slots__ = ("_admitted", "_body", "_made", "_operation", "_request", "reply")

    def __init__(self, operation: Predict, request: PredictRequest) -> None:
        self._operation, self._request = operation, request
        self._admitted: Admitted | None = None
        self._body = b""
        self._made: Composed | None = None
        self.reply: Future[PredictReply] = Future()

    def start(self) -> Future[PredictReply]:
        request, operation = self._request, self._operation
        asked = AdmissionRequest(
            key_digest=request.key_digest,
            model=request.model,
            calls=request.items,  # a picture is a call: batching is no loophole
            items=request.items,
            idempotency_key=request.idempotency_key,
            body_digest=request.body_digest,
        )
        try:
            lane = operation.host.lane(request.model)
        except ModelmintError as error:
            # Under one name, or strangers' inventions would fill the books' counts.
            self._refuse(dataclasses.replace(asked, model=UNKNOWN_MODEL), error)
            return self.reply
        try:
            if lane.full():  # one row instead of two where the outcome is known
                raise lane.overloaded()
            if request.explain:
                lane.explainer.check(request.items)
        except ModelmintError as error:
            self._refuse(asked, error)
            return self.reply
        self._guarded(lambda: operation.books.reserve(asked).decided.add_done_callback(self._on_decided))
        return self.reply

    def _refuse(self, asked: AdmissionRequest, error: ModelmintError) -> None:
        def on_refused(refused: Future[None]) -> None:
            self.reply.set_exception(refused.exception() or error)

        self._guarded(lambda: self._operation.refuse(asked, error).add_done_callback(on_refused))

    def _on_decided(self, decided: Future[Admitted]) -> None:
        refusal = decided.exception()
        if refusal is not None:
            self.reply.set_exception(refusal)
            return
        admitted = self._admitted = decided.result()
        if admitted.replay is not None:
            self.reply.set_result(PredictReply(admitted.replay, admitted, replayed=True))
            return
        request = self._request
        try:
            answer = self._operation.host.submit(
                request.model,
                request.payloads,
                request.wanted,
                tensor=request.tensor,
                explain=request.explain,
                keep_outputs=request.compose is not None,
                # An answer that is stored for a retry holds nothing of what was sent.
                without_picture=request.stored,
            )
        except Exception as error:
            self._fail(error)
        else:
            answer.add_done_callback(self._on_answered)

    def _on_answered(self, answered: Future[Answer]) -> None:
        error = answered.exception()
        if error is None and self._request.wanted is not None and not self._request.wanted():
            error = ClientGone("the caller hung up before the answer was ready")
        if error is not None:
            self._fail(error)
            return
        self._guarded(lambda: self._settle(answered.result()))

    def _settle(self, answer: Answer) -> None:
        request, admitted = self._request, self._admitted
        assert admitted is not None  # noqa: S101 - set before the host was asked; tells mypy so
        made = self._made = Composed(request.model, prediction_of(admitted.reservation), answer, admitted)
        try:
            self._body = (request.compose or answer_json)(made)
        except Exception as error:  # it cannot be told, so it is not sold
            self._fail(error)
            return
        settlement = Settlement(
            reservation=admitted.reservation,
            status=OK,
            code="ok",
            release=answer.release,
            variant=answer.variant,
            prediction=_noted(made),
            calls=request.items,
            items=request.items,
            compute_ms=Decimal(str(answer.compute_ms)),
            state=answer.state,
            pixels=answer.pixels,
            characters=answer.characters,
            tokens=answer.tokens,
            explanations=len(answer.explanations or ()),
            wall_ms=request.wall_ms,
            answer=self._body if request.stored else None,
        )
        self._operation.books.settle(settlement, here=answer.alone).add_done_callback(self._on_settled)

    def _on_settled(self, settled: Future[Outcome]) -> None:
        error = settled.exception()
        if error is not None:
            self.reply.set_exception(error)
        elif self._admitted is not None:
            self.reply.set_result(PredictReply(self._body, self._admitted, replayed=False))
            told, made = self._operation.answered, self._made
            if told is not None and made is not None:
                told(self._request, made)

    def _fail(self, error: BaseException) -> None:
        """Settle an admitted call as failed, then raise its error to the caller."""
        admitted = self._admitted
        if not isinstance(error, ModelmintError):
            _log.error("call to %s failed", self._request.model, exc_info=error)
            error = EngineFailed("the call failed inside the server; it was not billed")
        failure = error

        def on_settled(settled: Future[Outcome]) -> None:
            self.reply.set_exception(settled.exception() or failure)

        if admitted is not None:
            status, wall = self._operation.status_of(failure), self._request.wall_ms
            settlement = Settlement(admitted.reservation, status, failure.code, state="", wall_ms=wall)
            self._guarded(lambda: self._operation.books.settle(settlement).add_done_callback(on_settled))

    def _guarded(self, step: Callable[[], None]) -> None:
        """A step that raises must not leave the caller waiting for ever: futures swallow callback errors."""
        try:
            step()
        except (Exception, CancelledError) as error:
            if not self.reply.done():
                self.reply.set_exception(error)


def _noted(made: Composed) -> str:
    """The prediction's name with what was answered, for whoever compares it with a truth later."""
    answer = made.answer
    return noted(
        made.prediction, [(answer.labels.index(p.label), p.probability, p.abstained) for p in answer.predictions]
    )
