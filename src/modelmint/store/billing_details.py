"""Tax, address, language and anchor of a customer."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, select, update

from modelmint.commerce.billing.errors import AnchorFixed
from modelmint.commerce.billing.types import BillingDetails
from modelmint.commerce.moments import micros, moment
from modelmint.commerce.types import Customer
from modelmint.kit.period import billing_period
from modelmint.store import people, prepaid
from modelmint.store.drafting import last_end
from modelmint.store.history import note
from modelmint.store.leases import recall
from modelmint.store.schema import call_rollups, customers, event_rollups, reservations, subscriptions
from modelmint.store.spans import NOT_BEGUN


def store(connection: Connection, owner: Customer, details: BillingDetails, now: int) -> Customer:
    """Set what is not None; raises ``AnchorFixed``. The audit log says which, and not what: that is personal data."""
    wanted = {name: value for name, value in asdict(details).items() if value is not None}
    changed = {name: value for name, value in wanted.items() if value != getattr(owner, name)}
    if not changed:
        return owner
    if "anchor" in changed:
        _must_be_free(connection, owner)
        month = micros(billing_period(moment(now), changed["anchor"]).start)
        # What is planned ahead keeps its mark that it has not begun: it must not begin by this.
        begun = (subscriptions.c.customer == owner.id) & (subscriptions.c.month != NOT_BEGUN)
        connection.execute(update(subscriptions).where(begun).values(month=month))
        recall(connection, owner.id)
    values = {**changed, **({"tax_rate": f"{changed['tax_rate']:f}"} if "tax_rate" in changed else {})}
    connection.execute(update(customers).where(customers.c.id == owner.id).values(values))
    note(connection, "customer.details_set", owner.id, now, {"set": sorted(changed)})
    found = people.customer(connection, owner.id)
    prepaid.refresh_all(connection, found, now)  # tax is paid from the credit too
    return found


def _must_be_free(connection: Connection, owner: Customer) -> None:
    """Usage is counted by billing periods: once some was, or something was billed, they stay where they are."""
    counted = last_end(connection, owner.id) is not None or any(
        connection.execute(select(table.c.customer).where(table.c.customer == owner.id).limit(1)).first()
        for table in (call_rollups, event_rollups, reservations)
    )
    if counted:
        raise AnchorFixed(
            f"{owner.id} was billed or used something already; its billing periods begin on day {owner.anchor} for good"
        )
