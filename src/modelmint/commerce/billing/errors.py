"""What can go wrong with invoices, credit and billing settings."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, Corrupted, InvalidInput


class InvoiceNotOpen(Conflict):
    """The invoice is paid, void or a credit note, so this cannot happen to it."""

    code = "invoice_not_open"


class ClosingsFailed(Conflict):
    """The ended periods of some customers could not be billed; those of all others are."""

    code = "closings_failed"


class ClosingsCorrupted(Corrupted):
    """The ended periods of some customers could not be billed, as stored data is not what it was."""

    code = "closings_corrupted"


class BadCorrection(InvalidInput):
    """A credit note over nothing, over more than is left of its invoice, or over a line that was corrected before."""

    code = "bad_correction"


class BadCredit(InvalidInput):
    """A grant of credit that is none: no amount, an unknown source, an end that is no future day."""

    code = "bad_credit"


class BadBillingDetails(InvalidInput):
    """Tax rate, anchor, language or address of a customer that cannot be."""

    code = "bad_billing_details"


class AnchorFixed(Conflict):
    """Billing periods begin where they always did, once something was billed."""

    code = "anchor_fixed"
