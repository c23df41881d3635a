"""OpenAPI of partners and channels."""

from __future__ import annotations

from modelmint.api.openapi_parts import CUSTOMER, FOUNDER, MONTH, Node, as_table, in_path, in_query, operation

_THEIRS: Node = {"tag": "partner", "security": CUSTOMER}
_OURS: Node = {"tag": "founder", "security": FOUNDER}
_WHO = [in_path("customer", "An end customer's id or exact name.")]
_PARTNER = [in_path("partner", "A partner's id, or its customer's id or exact name.")]
_LOST: Node = {**_THEIRS, "errors": (403, 404), "parameters": _WHO}
_FORMAT = in_query("format", "`csv` for a spreadsheet.", enum=["json", "csv"])

PATHS: Node = {
    "/partner/v1/partner": {"get": operation("Show the calling partner", "Open", errors=(403,), **_THEIRS)},
    "/partner/v1/customers": {
        "get": operation("List end customers", "EndCustomers", errors=(403,), **_THEIRS),
        "post": operation(
            "Make an end customer", "Open", body="NewCustomer", status=201, errors=(403, 404, 409), **_THEIRS
        ),
    },
    "/partner/v1/customers/{customer}": {"get": operation("Show an end customer", "Open", **_LOST)},
    "/partner/v1/customers/{customer}/keys": {
        "post": operation("Make an end customer's key", "NewKey", body="WantedKey", status=201, **_LOST)
    },
    "/partner/v1/customers/{customer}/subscription": {
        "post": operation("Subscribe an end customer", "Open", body="WantedPlan", **_LOST)
    },
    "/partner/v1/customers/{customer}/invoices": {
        "get": operation("List an end customer's invoices", "Invoices", **_LOST)
    },
    "/partner/v1/referrals": {"get": operation("List own referral codes", "Open", errors=(403,), **_THEIRS)},
    "/partner/v1/statement": {
        "get": operation("Show the own statement", "Open", errors=(403, 422), parameters=[MONTH], **_THEIRS)
    },
    "/admin/v1/partners": {
        "get": operation("List partners", "Open", **_OURS),
        "post": operation("Make a partner", "Open", body="WantedPartner", status=201, errors=(404, 409), **_OURS),
    },
    "/admin/v1/partners/{partner}": {
        "get": operation("Show a partner", "Open", errors=(404,), parameters=_PARTNER, **_OURS)
    },
    "/admin/v1/partners/{partner}/statement": {
        "get": operation("Show a statement", "Open", errors=(404, 422), parameters=[*_PARTNER, MONTH], **_OURS),
        "post": operation(
            "Close a statement",
            "Open",
            body="WantedStatement",
            status=201,
            errors=(404, 409),
            parameters=_PARTNER,
            **_OURS,
        ),
    },
    "/admin/v1/partners/{partner}/pay-out": {
        "post": operation(
            "Note that a statement was paid out",
            "Open",
            body="WantedPayOut",
            errors=(404, 409, 422),
            parameters=_PARTNER,
            **_OURS,
        )
    },
    "/admin/v1/referrals": {
        "get": operation("List referral codes", "Open", **_OURS),
        "post": operation("Add a referral code", "Open", body="WantedReferral", status=201, errors=(404, 409), **_OURS),
    },
    "/admin/v1/referrals/{code}": {
        "delete": operation(
            "Withdraw a referral code", "Open", errors=(404,), parameters=[in_path("code", "The code.")], **_OURS
        )
    },
    "/admin/v1/channels": {
        "get": as_table(operation("Report channels", "Open", errors=(422,), parameters=[MONTH, _FORMAT], **_OURS))
    },
}
