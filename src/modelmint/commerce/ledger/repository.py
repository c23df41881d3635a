"""What ledger needs stored; ``store`` implements it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from modelmint.commerce.documents.types import Party
from modelmint.commerce.ledger.types import LedgerEntry, Segment, Verdict
from modelmint.kit.money import Money
from modelmint.kit.period import Period


class Journal(Protocol):
    """The hash-chained ledger: verify, segments, exports."""

    def verify(self, *, raw: bool = False, noted: str | None = None) -> Verdict:
        """Whether the books are whole; names the first broken row of each kind.

        ``raw`` adds up every outcome and event again; ``noted`` is a head noted earlier, which must still be there.
        """
        ...

    def head(self) -> tuple[int, str]:
        """Place and hash of the last entry: what to note elsewhere, so that a cut tail is found."""
        ...

    def entries(
        self, period: Period | None = None, account: str | None = None, after: int = 0
    ) -> Iterator[LedgerEntry]:
        """Streams entries in the order of booking, those behind place ``after``; booked in ``period``."""
        ...

    def balances(self) -> dict[tuple[str, str], Money]:
        """(account, currency) -> balance, debit positive."""
        ...

    def segment(self, invoice: str) -> Segment:
        """What replay needs of an invoice (id or number); raises ``UnknownInvoice``, ``NotReplayable``."""
        ...

    def party(self, invoice: str) -> Party:
        """Whom an invoice names (by its id), as it was when it was finalised; erased where the customer was."""
        ...

    def frozen(self, invoice: str) -> str:
        """The stored body of an invoice, byte for byte; raises ``UnknownInvoice``."""
        ...
