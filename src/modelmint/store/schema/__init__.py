"""The tables, as the newest migration leaves them (a test compares the two).

Times are microseconds since 1970 UTC; money is minor units; compute and wall time are whole microseconds; quantities
of events are whole millionths. Rows of the tables in ``APPEND_ONLY`` are never changed: triggers refuse UPDATE and
DELETE (of ``messages``, as long as a delivery of it is kept).
"""

from modelmint.store.schema.base import Sequence, metadata
from modelmint.store.schema.calls import call_rollups, idempotency, leases, outcomes, reservations
from modelmint.store.schema.catalogue import offers, plans, subscriptions
from modelmint.store.schema.events import event_rollups, events, uniques
from modelmint.store.schema.messages import (
    deliveries,
    endpoints,
    messages,
    payment_attempts,
    payment_customers,
    payment_events,
    usage_reports,
)
from modelmint.store.schema.money import burns, closings, grants, invoice_events, invoices, ledger_entries, parties
from modelmint.store.schema.monitoring import feedback, leads, remarks, tries
from modelmint.store.schema.partners import partners, referrals
from modelmint.store.schema.people import alarms, audit, consents, customers, key_uses, keys, meta
from modelmint.store.schema.releases import deployments

APPEND_ONLY = (
    "plans", "offers", "outcomes", "closings", "invoices", "ledger_entries", "deployments", "events", "grants", "burns",
    "invoice_events", "audit", "messages", "payment_events", "feedback", "consents",
)  # fmt: skip

__all__ = [
    "APPEND_ONLY",
    "Sequence",
    "alarms",
    "audit",
    "burns",
    "call_rollups",
    "closings",
    "consents",
    "customers",
    "deliveries",
    "deployments",
    "endpoints",
    "event_rollups",
    "events",
    "feedback",
    "grants",
    "idempotency",
    "invoice_events",
    "invoices",
    "key_uses",
    "keys",
    "leads",
    "leases",
    "ledger_entries",
    "messages",
    "meta",
    "metadata",
    "offers",
    "outcomes",
    "parties",
    "partners",
    "payment_attempts",
    "payment_customers",
    "payment_events",
    "plans",
    "referrals",
    "remarks",
    "reservations",
    "subscriptions",
    "tries",
    "uniques",
    "usage_reports",
]
