"""Long lists, a page at a time: one row more than asked for tells whether there is another page."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from modelmint.commerce.documents.invoice_json import from_json
from modelmint.commerce.lists import InvoicePage, Page
from modelmint.commerce.metering.errors import BadPosition
from modelmint.commerce.types import Customer, Key
from modelmint.store import bills, keys, people
from modelmint.store.database import Database
from modelmint.store.schema import customers, invoice_events, invoices, parties
from modelmint.store.schema import keys as key_rows

_LONGEST_NUMBER = 15
#: Where an invoice stands: the newest event that changes it.
_STANDING = func.coalesce(
    select(invoice_events.c.status)
    .where(invoice_events.c.invoice == invoices.c.id, invoice_events.c.status.in_(bills.STATES))
    .order_by(invoice_events.c.seq.desc())
    .limit(1)
    .scalar_subquery(),
    bills.FINALISED,
)


class SqlLists:
    """``commerce.lists.Lists`` on SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def customers(self, after: str = "", limit: int = 100) -> Page[Customer]:
        with self._database.read() as connection:
            query = select(customers).order_by(customers.c.seq)
            rows, more = _page(connection, query, customers, after, limit)
        return Page(tuple(people.customer_from(row) for row in rows), more)

    def keys(self, customer: str | None = None, after: str = "", limit: int = 100) -> Page[Key]:
        with self._database.read() as connection:
            query, mine = keys.query().order_by(key_rows.c.seq), None
            if customer is not None:
                mine = key_rows.c.customer == people.customer(connection, customer).id
                query = query.where(mine)
            rows, more = _page(connection, query, key_rows, after, limit, mine)
        return Page(tuple(keys.key_from(row) for row in rows), more)

    def invoices(
        self,
        customer: str | None = None,
        after: str = "",
        limit: int = 100,
        *,
        status: str | None = None,
        newest: bool = False,
    ) -> InvoicePage:
        number = invoices.c.number
        query = select(number, invoices.c.id, invoices.c.body, parties.c.name, _STANDING.label("status"))
        query = query.outerjoin(parties, parties.c.invoice == invoices.c.id)
        query = query.order_by(number.desc() if newest else number).limit(limit + 1)
        if after:
            if not (after.isascii() and after.isdecimal() and len(after) <= _LONGEST_NUMBER):
                raise _bad(after)
            query = query.where(number < int(after) if newest else number > int(after))
        if status is not None:
            query = query.where(_STANDING.in_([status]))
        with self._database.read() as connection:
            if customer is not None:
                query = query.where(invoices.c.customer == people.customer(connection, customer).id)
            rows = connection.execute(query).all()
        found = rows[:limit]
        more = str(found[-1].number) if len(rows) > limit else ""
        read = tuple(from_json(json.loads(row.body), row.name) for row in found)
        return InvoicePage(read, more, {row.id: row.status for row in found})


def _page(
    connection: Connection,
    query: Select[Any],
    table: Table,
    after: str,
    limit: int,
    mine: ColumnElement[bool] | None = None,
) -> tuple[list[Any], str]:
    """The rows behind the one called ``after``, and the name of the last of them where more follow."""
    if after:
        place = select(table.c.seq).where(table.c.id == after)
        begin = connection.scalar(place if mine is None else place.where(mine)) if after.isprintable() else None
        if begin is None:
            raise _bad(after)
        query = query.where(table.c.seq > begin)
    rows = list(connection.execute(query.limit(limit + 1)).mappings())
    found = rows[:limit]
    return found, str(found[-1]["id"]) if len(rows) > limit else ""


def _bad(after: str) -> BadPosition:
    return BadPosition(f"expected 'after' as the 'next' of a former page, found {after[:60]!r}")
