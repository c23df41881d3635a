"""Endpoints of webhooks as rows: finding, disabling, whose secrets are valid."""

from __future__ import annotations

import ipaddress
from typing import Any

from sqlalchemy import Connection, select, update

from modelmint.commerce.moments import moment
from modelmint.commerce.webhooks.addresses import is_public
from modelmint.commerce.webhooks.errors import UnknownEndpoint
from modelmint.commerce.webhooks.types import Endpoint
from modelmint.store.history import note
from modelmint.store.schema import deliveries, endpoints


def names_this_side(host: str) -> bool:
    """Whether a host is private as it is written; what names resolve to is judged when they are called."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local", ".internal"))
    return not is_public(host)


def found_endpoint(connection: Connection, endpoint: str, owner: str | None) -> Any:
    """Its row; raises ``UnknownEndpoint``, also for one that is not ``owner``'s."""
    row = connection.execute(select(endpoints).where(endpoints.c.id == endpoint)).mappings().first()
    if row is None or owner not in (None, row["owner"]):
        raise UnknownEndpoint(f"no webhook has the id {endpoint[:80]!r}; list them with 'modelmint webhooks list'")
    return row


def disable_endpoint(connection: Connection, endpoint: str, now: int, why: str) -> None:
    """Send nothing there any more, and give up what waited."""
    connection.execute(update(endpoints).where(endpoints.c.id == endpoint).values(disabled_at=now))
    left = update(deliveries).where(deliveries.c.endpoint == endpoint, deliveries.c.state == "waiting")
    connection.execute(left.values(state="given_up", next_at=None, last_error="the webhook is disabled", done_at=now))
    note(connection, "webhook.disabled", endpoint, now, {"why": why})


def valid_secrets(row: Any, now: int) -> tuple[str, ...]:
    """The secret, and the former one as long as it signs along."""
    former, until = row["former_secret"], row["former_until"]
    return (row["secret"], former) if former is not None and until > now else (row["secret"],)


def endpoint_of(row: Any) -> Endpoint:
    """Its noun."""
    disabled = row["disabled_at"]
    return Endpoint(
        id=row["id"],
        owner=row["owner"],
        url=row["url"],
        kinds=tuple(row["kinds"].split()),
        created_at=moment(row["created_at"]),
        disabled_at=None if disabled is None else moment(disabled),
    )
