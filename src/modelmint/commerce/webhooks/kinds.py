"""What can be told, and to whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from modelmint.commerce.people.scopes import require_of
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
    "usage.unreported": False,
}

#: The scope without which a key may not make anybody hear a kind: the one that reads what the message tells.
NEEDS: Mapping[str, str] = {
    "credit.granted": "invoices",
    "credit.low": "invoices",
    "invoice.finalised": "invoices",
    "invoice.paid": "invoices",
    "invoice.voided": "invoices",
    "key.alarm": "keys",
    "payment.failed": "invoices",
    "payment.succeeded": "invoices",
    "subscription.changed": "invoices",
}


def kinds_for(kinds: Sequence[str], scopes: Collection[str]) -> Sequence[str]:
    """The kinds that a customer's key with ``scopes`` asks for; all, or none named, are all that the key may read.

    Raises ``KeyLacksScope`` where one that is named is not for the key.
    """
    for kind in kinds:
        if kind in NEEDS:
            require_of(scopes, NEEDS[kind])
    if kinds and EVERY not in kinds:
        return kinds
    readable = [kind for kind, scope in NEEDS.items() if scope in scopes]
    if not readable:
        require_of(scopes, "keys")
    return (EVERY,) if len(readable) == len(NEEDS) else readable


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
