"""One call made from a page: paid like any other, and told with what it took and what it costs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from modelmint.commerce.errors import InProgress
from modelmint.commerce.rating.next_call import Fed
from modelmint.inference.explain.answers import drawn_again, kept_explanation
from modelmint.inference.explain.types import Explanation
from modelmint.kit.digest import digest_bytes
from modelmint.kit.errors import ModelmintError
from modelmint.kit.money import UnitPrice
from modelmint.operations.composing import Composed
from modelmint.operations.errors import NotAnsweredYet
from modelmint.operations.predict import Predict, PredictReply, PredictRequest
from modelmint.operations.unit_costs import unit_costs
from modelmint.releases.shelf import Shelf
from modelmint.tasks.answers import present

#: Seconds that a page waits for its answer.
PATIENCE = 60
#: Seconds after which a form that is under way already is asked for again: at first, and at most.
_SOON, _LATER = 0.05, 1.0
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Tried:
    """What came back."""

    prediction: str
    model: str
    release: str
    variant: str
    label: str
    probability: float
    #: Label -> probability, the likeliest first.
    probabilities: Mapping[str, float]
    abstained: bool
    #: CPU milliseconds of the call, and those of them that its explanation took.
    compute_ms: float
    explain_ms: float
    #: Calls left before the plan refuses, None where it has no limit.
    remaining: int | None
    fed: Fed
    #: None where none was asked for. Its picture is the map alone.
    explanation: Explanation | None
    #: The same form was sent again: the answer that was given then, at no cost.
    replayed: bool


@dataclass(frozen=True, slots=True)
class CallCost:
    """What a call costs the house, from what was measured."""

    #: CPU time of this call at the price of the machine; None where no price is stated.
    cpu: UnitPrice | None
    #: A call of this release through the whole server on a machine kept busy; None where that was not measured.
    busy: UnitPrice | None
    #: The processor and its cores on which the release was measured, and when; "" where it was not.
    machine: str
    cores: int
    measured_at: datetime | None
    price_per_hour: UnitPrice | None


def try_out(predict: Predict, key_digest: str, model: str, picture: bytes, *, explain: bool, once: str) -> Tried:
    """Pay for one call and wait for it. The same form (``once``) with the same picture is one call.

    Sent twice at once (a double click), the second waits for the first and gets its answer. What is kept for that holds
    no picture: the map of an explanation is kept as numbers and drawn again. Raises what ``Predict`` raises.
    """
    digest = digest_bytes(b"\0".join((model.encode(), str(explain).encode(), picture)))
    request = PredictRequest(
        model,
        (picture,),
        key_digest,
        idempotency_key=f"page:{once}:{digest[:32]}",
        body_digest=digest,
        explain=explain,
        compose=_body,
    )
    reply = _answered(predict, request)
    told = json.loads(reply.body)
    kept = told.get("explanation")
    return Tried(
        **{name: told[name] for name in ("prediction", "model", "release", "variant", "compute_ms", "explain_ms")},
        **{name: told[name] for name in ("label", "probability", "abstained")},
        probabilities=dict(sorted(told["probabilities"].items(), key=lambda pair: -pair[1])),
        remaining=told["remaining"],
        fed=Fed(model, told["variant"], told["state"], {name: Decimal(n) for name, n in told["fed"].items()}),
        explanation=None if kept is None else drawn_again(kept),
        replayed=reply.replayed,
    )


def _answered(predict: Predict, request: PredictRequest) -> PredictReply:
    """The answer, or that of the same form which is under way; another process may be at it."""
    patient_until, pause = time.monotonic() + PATIENCE, _SOON
    while True:
        try:
            return predict(replace(request, arrived=time.perf_counter())).result(PATIENCE)
        except TimeoutError as error:
            raise NotAnsweredYet(
                f"the model has not answered within {PATIENCE} s; send the same form again: it stays one call"
            ) from error
        except InProgress:
            if time.monotonic() + pause > patient_until:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LATER)


def _body(made: Composed) -> bytes:
    answer = made.answer
    explanations = answer.explanations or ()
    fed = {
        "calls": "1",
        "items": "1",
        "megapixels": str(Decimal(answer.pixels).scaleb(-6)),
        "compute_ms": str(answer.compute_ms),
        "explanations": str(len(explanations)),
    }
    content: dict[str, Any] = {
        "prediction": made.prediction,
        "model": made.model,
        "release": answer.release,
        "variant": answer.variant,
        **present(answer.predictions[0], answer.labels),
        "state": answer.state,
        "compute_ms": answer.compute_ms,
        "explain_ms": sum(explanation.ms for explanation in explanations),
        "remaining": made.admitted.remaining,
        "fed": {name: quantity for name, quantity in fed.items() if Decimal(quantity)},
    }
    if explanations:
        content["explanation"] = kept_explanation(explanations[0])
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def cost_of(shelf: Shelf, price_per_hour: UnitPrice | None, tried: Tried) -> CallCost:
    """CPU time x the machine's price / its cores, beside the measured cost of a call on a machine kept busy."""
    try:
        statements = shelf.get(tried.release).statements("cost")
    except ModelmintError:
        statements = []
    newest = max(statements, key=lambda one: one.made_at, default=None)
    machine = {} if newest is None else newest.body.get("measured_on", {})
    cores = machine.get("cores") or 0
    cpu = None
    if price_per_hour is not None and cores:
        spent = Decimal(str(tried.compute_ms))
        cpu = UnitPrice(_short(price_per_hour.amount * spent / (_HOUR_MS * cores)), price_per_hour.currency)
    busy = unit_costs(shelf).get(tried.release)
    return CallCost(
        cpu=cpu,
        busy=None if busy is None else UnitPrice(_short(busy.amount), busy.currency),
        machine=str(machine.get("processor", "")),
        cores=cores,
        measured_at=None if newest is None else datetime.fromisoformat(newest.made_at.replace("Z", "+00:00")),
        price_per_hour=price_per_hour,
    )


def _short(amount: Decimal) -> Decimal:
    """To three significant digits: no measurement is finer."""
    return amount if not amount else amount.quantize(Decimal(1).scaleb(amount.adjusted() - 2))
