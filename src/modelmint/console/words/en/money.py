"""Plans, invoices, credit, the ledger."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "invoice.title": "Invoice {number}",
    "invoice.draft": "So far, not billed yet",
    "invoice.draft_lead": "What would be on an invoice for {start} to {end}.",
    "invoice.close_now": "Bill what was used so far",
    "invoice.none": "No invoices yet.",
    "invoice.item": "Item",
    "invoice.quantity": "Quantity",
    "invoice.price": "Unit price",
    "invoice.amount": "Amount",
    "invoice.subtotal": "Subtotal",
    "invoice.tax": "Tax {rate}",
    "invoice.total": "Total",
    "invoice.credit": "Prepaid credit used",
    "invoice.due": "Due",
    "invoice.number": "Number",
    "invoice.customer": "Customer",
    "invoice.period": "Period",
    "invoice.plan": "Plan",
    "invoice.finalised": "Finalised",
    "said.closed": "Billed up to this moment.",
    "state.draft": "draft",
}
