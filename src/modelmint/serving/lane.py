"""One served model: a bounded queue and the threads that encode, run the engine and decode.

A batch is whatever waits when a runner is free, up to ``max_batch`` items: at low load a call runs alone
and at once, under load batches grow with the queue. Two runners take turns at the engine, so that one
encodes while the other computes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence

import numpy as np

from modelmint.inference.explain.types import Explanation
from modelmint.inference.types import Engine
from modelmint.kit.arrays import AnyArray
from modelmint.kit.errors import ModelmintError
from modelmint.serving.call import Call
from modelmint.serving.cpu import WorkClock
from modelmint.serving.errors import ClientGone, EngineFailed, Overloaded, Stopping
from modelmint.serving.explaining import Explainer, Job
from modelmint.serving.types import Answer, HostFigures
from modelmint.tasks.errors import BadTensor
from modelmint.tasks.types import ModelSpec, Prediction, Task

_log = logging.getLogger(__name__)
RUNNERS = 2


class Lane:
    """Serves one variant of one model of one release."""

    def __init__(
        self,
        *,
        spec: ModelSpec,
        task: Task,
        engine: Engine,
        clock: WorkClock,
        release: str,
        variant: str,
        use: str,
        max_batch: int,
        max_queue: int,
    ) -> None:
        self.spec, self.task, self.engine = spec, task, engine
        self.release, self.variant, self.use = release, variant, use
        self._clock, self._max_batch, self._max_queue = clock, max_batch, max_queue
        self._waiting: deque[Call] = deque()
        self._changed = threading.Condition(threading.Lock())
        self._engine_turn = threading.Lock()
        self.explainer = Explainer(
            engine=engine, turn=self._engine_turn, clock=clock, spec=spec, task=task, max_batch=max_batch
        )
        self._closed = False
        self._batches = 0
        self._items = 0
        self._cpu = 0.0
        self._per_call = 0.0  # wall seconds of one call lately, for Retry-After
        self._threads = [
            threading.Thread(target=self._run, name=f"lane-{release[:8]}-{n}", daemon=True) for n in range(RUNNERS)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Call) -> bool:
        """Queue ``call``; False where the lane is closed (ask the host again); raises ``Overloaded``.

        A call for explanations is refused, too, where the explainer has its hands full (``TooManyExplanations``).
        """
        with self._changed:
            if self._closed:
                return False
            if len(self._waiting) >= self._max_queue:
                raise self.overloaded()
            if call.explain:
                self.explainer.admit(call)
            self._waiting.append(call)
            self._changed.notify()
        return True

    def full(self) -> bool:
        """Whether a call would be refused now."""
        return len(self._waiting) >= self._max_queue

    def overloaded(self) -> Overloaded:
        """The refusal, with the time the queue needs to empty."""
        waiting = len(self._waiting)
        return Overloaded(
            f"{waiting} calls wait for the engine, the queue holds {self._max_queue}; try again shortly",
            retry_after=min(30.0, max(1.0, waiting * self._per_call)),
        )

    def figures(self) -> HostFigures:
        """Counters so far."""
        return HostFigures(len(self._waiting), self._batches, self._items, self._cpu + self.explainer.cpu)

    def close(self) -> None:
        """Take no more calls, answer those that wait, give the engine back. Blocks until done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        for call in self._waiting:  # only after a runner died, which it does not
            call.fail(Stopping("the server stopped before this call ran; try again"))
        self.explainer.close()
        self.engine.close()

    def _run(self) -> None:
        while calls := self._take():
            started = time.perf_counter()
            try:
                self._serve(calls)
            except Exception as error:  # a runner outlives anything one batch does to it
                _log.exception("a batch of %s failed", self.release)
                for call in calls:
                    if not call.future.done():
                        call.fail(EngineFailed("the model could not answer this call", details={"why": str(error)}))
            spent = (time.perf_counter() - started) / len(calls)
            self._per_call += 0.1 * (spent - self._per_call)

    def _take(self) -> list[Call]:
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return []
                self._changed.wait()
            calls = [self._waiting.popleft()]
            size = calls[0].size
            while self._waiting and size + self._waiting[0].size <= self._max_batch:
                calls.append(self._waiting.popleft())
                size += calls[-1].size
            if self._waiting:
                self._changed.notify()
        return calls

    def _serve(self, calls: list[Call]) -> None:
        ready = [call for call in calls if self._encode(call)]
        if not ready:
            return
        try:
            outputs = self._infer(ready)
        except Exception as error:
            if len(ready) == 1:
                self._broke(ready[0], error)
            else:  # find the one that broke it; the others are answered
                for call in ready:
                    self._serve_alone(call)
            return
        self._answer_all(ready, outputs)

    def _encode(self, call: Call) -> bool:
        if call.wanted is not None and not call.wanted():
            call.fail(ClientGone("the caller hung up while the call waited"))
            return False
        before = time.thread_time()
        try:
            if call.tensor is None:
                call.inputs = self.task.encode(call.payloads, self.spec.settings, call.counted)
            else:
                call.inputs = self.task.accept(call.tensor, self.spec.settings, call.counted)
        except ModelmintError as error:
            call.fail(error)
        except Exception as error:
            self._broke(call, error)
        call.cpu = time.thread_time() - before
        return call.inputs is not None

    def _infer(self, calls: Sequence[Call]) -> AnyArray:
        arrays = [call.inputs for call in calls if call.inputs is not None]
        batch = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        with self._engine_turn:
            before = self._clock.now()
            if len(batch) <= self._max_batch:
                outputs = self.engine.run(batch)
            else:
                parts = range(0, len(batch), self._max_batch)
                outputs = np.concatenate([self.engine.run(batch[at : at + self._max_batch]) for at in parts])
            spent = self._clock.now() - before
            self._batches += 1
            self._items += len(batch)
            self._cpu += spent + sum(call.cpu for call in calls)
        if len(outputs) != len(batch):
            raise ValueError(f"the engine gave {len(outputs)} answers to {len(batch)} inputs")
        for call in calls:
            call.cpu += spent * call.size / len(batch)
        return outputs

    def _serve_alone(self, call: Call) -> None:
        try:
            outputs = self._infer([call])
        except Exception as error:
            self._broke(call, error)
        else:
            self._answer_all([call], outputs)

    def _answer_all(self, calls: Sequence[Call], outputs: AnyArray) -> None:
        at = 0
        for call in calls:
            own = outputs[at : at + call.size]
            at += call.size
            if not np.isfinite(own).all():
                self._not_finite(call)
                continue
            try:
                predictions = tuple(self.task.decode(own, self.spec))
            except Exception as error:
                self._broke(call, error)
                continue
            if call.explain:
                self._explain(call, own, predictions)
                continue
            alone = len(calls) == 1 and not self._waiting
            call.future.set_result(self._answer(call, own, predictions, alone=alone))

    def _explain(self, call: Call, own: AnyArray, predictions: tuple[Prediction, ...]) -> None:
        assert call.inputs is not None  # noqa: S101 - it was answered; tells mypy so

        def finish(found: tuple[Explanation, ...]) -> Answer:
            return self._answer(call, own, predictions, alone=False, explanations=found)

        self.explainer.take(Job(call, call.inputs, own, predictions, finish, self._broke))

    def _answer(
        self,
        call: Call,
        own: AnyArray,
        predictions: tuple[Prediction, ...],
        *,
        alone: bool,
        explanations: tuple[Explanation, ...] | None = None,
    ) -> Answer:
        counted = call.counted
        return Answer(
            predictions=predictions,
            labels=self.spec.labels,
            release=self.release,
            variant=self.variant,
            compute_ms=round(call.cpu * 1000, 3),
            use=self.use,
            pixels=counted.pixels,
            characters=counted.characters,
            tokens=counted.tokens,
            alone=alone,
            explanations=explanations,
            outputs=own if call.keep_outputs else None,
        )

    def _not_finite(self, call: Call) -> None:
        if call.tensor is None:
            self._broke(call, ValueError("the graph gave NaN or infinity"))
        else:  # pictures are bounded, numbers from a caller are not
            call.fail(BadTensor("expected numbers of the size the model was made for; these gave NaN or infinity"))

    def _broke(self, call: Call, error: Exception) -> None:
        _log.error("release %s failed on one call: %r", self.release, error)
        call.fail(EngineFailed("the model failed on this input; it was not billed. Other inputs are not affected"))
