"""What can be told, and to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelmint.commerce.webhooks.errors import BadEndpoint
from modelmint.commerce.webhooks.types import Endpoint, Message
from modelmint.kit.canonical import canonical_json
from modelmint.kit.registry import nearest

FOUNDER = "founder"
EVERY = "*"
#: Sent to one endpoint, to try it out; nobody else hears it.
TEST = "webhook.test"
#: What may be told, and whether a customer may hear it of itself.
KINDS: Mapping[str, bool] = {
    "credit.granted": True,
    "credit.low": True,
    "invoice.finalised": True,
    "invoice.paid": True,
    "invoice.voided": True,
    "key.alarm": True,
    "payment.failed": True,
    "payment.succeeded": True,
    "plan.changed": False,
    "subscription.changed": True,
}


def checked_kinds(kinds: Sequence[str], owner: str) -> tuple[str, ...]:
    """Sorted and each once, ``("*",)`` for none given; raises ``BadEndpoint`` with every kind that cannot be heard."""
    wanted = sorted(set(kinds)) or [EVERY]
    known = [kind for kind, for_customers in KINDS.items() if for_customers or owner == FOUNDER]
    problems = []
    for kind in wanted:
        if kind != EVERY and kind not in known:
            close = nearest(kind, known)
            problems.append(f"no kind {kind[:40]!r}" + (f"; did you mean {close!r}?" if close else ""))
    if problems:
        raise BadEndpoint(f"expected kinds among {', '.join(known)}, or * for all", problems=problems)
    return (EVERY,) if EVERY in wanted else tuple(wanted)


def hears(endpoint: Endpoint, message: Message) -> bool:
    """Whether the endpoint is to be told: by kind, and customers only of themselves."""
    if message.kind == TEST or not {EVERY, message.kind} & set(endpoint.kinds):
        return False
    return endpoint.owner == FOUNDER or (message.customer == endpoint.owner and KINDS.get(message.kind, False))


def envelope(message: Message) -> bytes:
    """The body that is sent, byte for byte the same however often it is."""
    content: dict[str, Any] = {"type": message.kind, "timestamp": message.at, "data": message.body}
    if message.customer is not None:
        content["customer"] = message.customer
    return canonical_json(content)
