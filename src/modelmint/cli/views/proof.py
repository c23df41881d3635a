"""What ``ledger verify`` and ``invoices replay`` found, for people."""

from __future__ import annotations

from modelmint.cli.output import Output
from modelmint.commerce.ledger.types import Replayed, Verdict


def show_verdict(out: Output, verdict: Verdict, *, raw: bool) -> None:
    """Sound books in four lines, with the head to note elsewhere."""
    out.say(f"{verdict.entries:,} entries in {verdict.transactions:,} transactions: chained without a break, balanced.")
    out.say(f"{verdict.invoices:,} invoices: numbered without a gap, summing up, as they were booked.")
    out.say("Closings follow each other." + (" Roll-ups equal the raw rows." if raw else ""))
    out.say(f"Head: {verdict.head or '(empty)'}")
    if not raw:
        out.note("Add --deep to add up every call and event again.")


def show_replayed(out: Output, found: Replayed) -> None:
    """The same bytes, or what differs first."""
    out.say(f"Invoice {found.number} ({found.invoice})")
    out.say(f"booked   sha256 {found.booked}")
    out.say(f"replayed sha256 {found.digest or '(nothing)'}")
    if found.same:
        out.say("The same, byte for byte, and so is every leg in the ledger.", style="green")
