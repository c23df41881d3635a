"""``ledger verify``: whether the books are whole, and the first row that is not. One small file per kind of proof."""

from __future__ import annotations

from sqlalchemy import Connection

from modelmint.commerce.ledger.types import Verdict
from modelmint.store.verify import bills, chain, closings, credit, deep


def verify(connection: Connection, *, raw: bool = False, noted: str | None = None) -> Verdict:
    """The first broken row of each kind, in the order: chain, transactions, invoices, closings, credit, roll-ups.

    ``connection`` must see one moment of the books (``Database.snapshot``). ``raw`` adds up every outcome and event
    again; ``noted`` is a hash of the ledger noted earlier. A chain that is broken makes what follows it guesswork, but
    each kind of proof says what it sees.
    """
    walked = chain.walk(connection, noted)
    transactions, unbalanced = chain.transactions(connection)
    invoices, wrong = bills.check(connection, walked.highest)
    findings = [*walked.findings, *unbalanced, *wrong, *closings.check(connection), *credit.check(connection)]
    if raw:
        findings += deep.check(connection)
    return Verdict(walked.entries, transactions, invoices, walked.head, tuple(findings))
