"""The bytes of a paid answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modelmint.commerce.types import Admitted
from modelmint.inference.explain.answers import present_explanation
from modelmint.serving.types import Answer
from modelmint.tasks.answers import item_ids, present


@dataclass(frozen=True, slots=True)
class Composed:
    """What an answer's bytes are made of. Where a caller's own ``compose`` makes them, ``answer.outputs`` is set."""

    model: str
    #: Id of the answer.
    prediction: str
    answer: Answer
    admitted: Admitted


#: Makes the bytes that are sent, and stored where a retry may ask for them again.
Compose = Callable[[Composed], bytes]


def answer_json(made: Composed) -> bytes:
    """The answer as customers read it; with one input its prediction stands at the top as well.

    An explanation stands in ``predictions`` only: it is large.
    """
    answer = made.answer
    predictions: list[dict[str, Any]] = [
        {"id": identity, **present(item, answer.labels)}
        for identity, item in zip(item_ids(made.prediction, len(answer.predictions)), answer.predictions, strict=True)
    ]
    top = dict(predictions[0]) if len(predictions) == 1 else {}
    for item, explanation in zip(predictions, answer.explanations or (), strict=False):
        item["explanation"] = present_explanation(explanation)
    content: dict[str, Any] = {
        "id": made.prediction,
        "model": made.model,
        "release": answer.release,
        "variant": answer.variant,
        **top,
        "predictions": predictions,
        "compute_ms": answer.compute_ms,
        "use": answer.use,
        "plan": made.admitted.plan,
        "remaining": made.admitted.remaining,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
