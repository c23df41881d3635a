"""OpenAPI of invoices, credit and billing details."""

from __future__ import annotations

from modelmint.api.openapi_parts import CUSTOMER, FORM, FOUNDER, PAGE, Node, in_path, in_query, operation, printed

_OURS: Node = {"tag": "founder", "security": FOUNDER}
_WHO = [in_path("customer", "A customer's id or exact name.")]
_ONE = [in_path("id", "An invoice's id or number.")]
_STATUS = [in_query("status", "Only these.", enum=["finalised", "paid", "void", "uncollectible"])]
_DO: Node = {"errors": (404, 409), "parameters": _ONE, **_OURS}

PATHS: Node = {
    "/admin/v1/customers/{customer}/invoices": {
        "get": operation(
            "List a customer's invoices",
            "InvoicePage",
            errors=(404, 422),
            parameters=[*_WHO, *_STATUS, *PAGE],
            **_OURS,
        ),
        "post": operation(
            "Close a period", "Invoices", body="WantedPeriod", status=201, errors=(404, 409), parameters=_WHO, **_OURS
        ),
    },
    "/admin/v1/customers/{customer}/credits": {
        "get": operation("List a customer's credit", "Open", errors=(404,), parameters=_WHO, **_OURS),
        "post": operation(
            "Grant credit", "Open", body="WantedCredit", status=201, errors=(404, 409), parameters=_WHO, **_OURS
        ),
    },
    "/admin/v1/invoices": {
        "get": operation("List all invoices", "InvoicePage", errors=(422,), parameters=[*_STATUS, *PAGE], **_OURS)
    },
    "/admin/v1/invoices/{id}": {
        "get": printed(operation("Show any invoice", "Invoice", errors=(404, 422), parameters=[*_ONE, *FORM], **_OURS))
    },
    "/admin/v1/invoices/{id}/pay": {
        "post": operation("Mark an invoice paid", "Invoice", body="WantedReference", **_DO)
    },
    "/admin/v1/invoices/{id}/void": {"post": operation("Void an invoice", "Invoice", body="WantedReason", **_DO)},
    "/admin/v1/invoices/{id}/uncollectible": {
        "post": operation("Give an invoice up", "Invoice", body="WantedReason", **_DO)
    },
    "/admin/v1/invoices/{id}/credit-note": {
        "post": operation("Make a credit note", "Invoice", body="WantedCreditNote", status=201, **_DO)
    },
    "/admin/v1/close": {"post": operation("Close all periods that have ended", "Open", status=201, **_OURS)},
    "/v1/credits": {"get": operation("Show own credit", "Open", tag="customer", security=CUSTOMER, errors=(403,))},
}

#: Beside the other methods of ``/admin/v1/customers/{customer}``.
SET_DETAILS: Node = operation(
    "Set a customer's billing details", "Open", body="WantedDetails", errors=(404, 409), parameters=_WHO, **_OURS
)
