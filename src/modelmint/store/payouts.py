"""What was paid out to partners, and what they are owed, read from the ledger; and paying out."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from modelmint.commerce.channels import payout, statement
from modelmint.commerce.channels.codes import WHOLESALE
from modelmint.commerce.channels.errors import NothingOwed, PayOutExists
from modelmint.commerce.channels.types import Partner, PartnerStatement
from modelmint.commerce.ledger.postings import receivable
from modelmint.commerce.moments import moment
from modelmint.kit.money import Money
from modelmint.kit.period import Period
from modelmint.store import journal
from modelmint.store.history import note
from modelmint.store.schema import ledger_entries


def paid_out(connection: Connection, partner: str, period: Period, currency: str) -> Money:
    """All that was paid out on one statement."""
    prefix = payout.prefix_of(partner, period, currency)
    rows = ledger_entries.c
    query = select(func.sum(rows.minor)).where(
        rows.account == statement.payable(partner), rows.transaction.startswith(prefix, autoescape=True)
    )
    return Money(int(connection.scalar(query) or 0), currency)


def pay(
    connection: Connection,
    owner: Partner,
    found: list[PartnerStatement],
    amount: Money | None,
    reference: str,
    now: int,
) -> None:
    """Pay ``amount``, or all that is left, on the statements; what was paid under ``reference`` before stays once.

    ``connection`` must be of ``Database.write``. Raises ``StatementNotClosed``, ``NothingOwed``, ``PayOutTooLarge``,
    ``PayOutExists``.
    """
    moved = False
    for one in found:
        name = payout.name_of(owner.id, one.period, one.currency, reference)
        before = _booked(connection, name, one.currency)
        if before is not None:
            if amount is not None and amount != before:
                raise PayOutExists(
                    f"{before} was paid out under the reference {reference!r} before; {amount} needs another one"
                )
            moved = True
            continue
        paid = payout.pay_out_of(one, _balance(connection, owner, one.currency), amount, name)
        if paid is None:
            continue
        moved = True
        journal.post(connection, payout.postings(owner, one, paid, reference, moment(now)))
        data = {"customer": owner.customer, "month": f"{one.period.start:%Y-%m}", "amount": str(paid.amount)}
        note(connection, "statement.paid_out", owner.id, now, data)
    if not moved:
        raise NothingOwed("nothing of this statement is owed to the partner that was not paid out before")


def _booked(connection: Connection, name: str, currency: str) -> Money | None:
    """What the pay-out of this name paid; None where there is none."""
    rows = ledger_entries.c
    query = select(rows.minor).where(rows.transaction == name, rows.account != payout.CASH)
    found = connection.scalar(query)
    return None if found is None else Money(int(found), currency)


def _balance(connection: Connection, owner: Partner, currency: str) -> int:
    """Minor units that we owe the partner; a wholesale partner's own debt from its statements is taken off."""
    rows = ledger_entries.c
    own = rows.account == statement.payable(owner.id)
    if owner.terms == WHOLESALE:
        stated = rows.transaction.startswith(f"txn_stm_{owner.id.removeprefix('par_')}_", autoescape=True)
        own = own | ((rows.account == receivable(owner.customer)) & stated)
    return -int(connection.scalar(select(func.sum(rows.minor)).where(own, rows.currency == currency)) or 0)
