"""Every customer's ended periods are billed, one short transaction each; one that fails holds up nobody else."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from modelmint.commerce.billing.types import ClosedDue, ClosingFailure, Invoice
from modelmint.commerce.moments import micros
from modelmint.kit.canonical import canonical_json
from modelmint.kit.clock import Clock
from modelmint.kit.errors import Corrupted, ModelmintError, Unavailable
from modelmint.kit.money import UnitPrice
from modelmint.store import closing, history, people
from modelmint.store.database import Database
from modelmint.store.drafting import Terms
from modelmint.store.errors import BooksCorrupted
from modelmint.store.schema import audit

_log = logging.getLogger(__name__)
FAILED = "closing.failed"
#: The same failure is noted once in so long; the server tries every minute.
_AGAIN = timedelta(days=1)


def close_due(database: Database, clock: Clock, notice: str, unit_costs: Mapping[str, UnitPrice]) -> ClosedDue:
    """What was made, and whom it failed for. Raises what concerns all: no disk, no database, a damaged one."""
    made: list[Invoice] = []
    failed: list[ClosingFailure] = []
    with database.read() as connection:
        names = closing.maybe_due(connection, clock.now())
    for name in names:  # calls go on between them
        try:
            with database.write() as connection:
                terms = Terms(people.customer(connection, name), notice, clock.now(), unit_costs)
                made += closing.close_ended(connection, terms)
        except (Unavailable, BooksCorrupted, MemoryError):
            raise
        except Exception as error:  # whatever is wrong with this one, the others are billed
            failure = _failure(name, error)
            failed.append(failure)
            _log.error("closing the periods of %s failed: %s", name, failure.code, exc_info=error)
            _noted(database, failure, clock.now())
    return ClosedDue(tuple(made), tuple(failed))


def _failure(customer: str, error: Exception) -> ClosingFailure:
    if isinstance(error, ModelmintError):
        return ClosingFailure(customer, error.code, error.message, isinstance(error, Corrupted))
    return ClosingFailure(customer, "internal_error", f"{type(error).__name__}; see the log", False)


def _noted(database: Database, failure: ClosingFailure, now: datetime) -> None:
    data = {"code": failure.code}
    with database.read() as connection:
        if _known(connection, failure.customer, canonical_json(data).decode(), micros(now - _AGAIN)):
            return
    with database.write() as connection:
        history.note(connection, FAILED, failure.customer, micros(now), data)


def _known(connection: Connection, customer: str, data: str, since: int) -> bool:
    noted = audit.c
    query = select(noted.seq).where(noted.subject == customer, noted.action == FAILED, noted.at > since)
    return connection.scalar(query.where(noted.data == data).limit(1)) is not None
