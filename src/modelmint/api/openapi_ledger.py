"""OpenAPI of the ledger."""

from __future__ import annotations

from modelmint.api.openapi_parts import FOUNDER, MONTH, Node, in_path, in_query, operation

_OURS: Node = {"tag": "founder", "security": FOUNDER}

PATHS: Node = {
    "/admin/v1/ledger": {
        "get": operation(
            "List ledger entries",
            "Open",
            errors=(422,),
            parameters=[
                MONTH,
                in_query("account", "Only this account."),
                in_query("after", "Seq of the last one seen."),
            ],
            **_OURS,
        )
    },
    "/admin/v1/ledger/balances": {"get": operation("Show balances", "Open", **_OURS)},
    "/admin/v1/ledger/head": {"get": operation("Show the ledger's head", "Open", **_OURS)},
    "/admin/v1/ledger/verify": {
        "get": operation(
            "Verify the books",
            "Open",
            errors=(422,),
            parameters=[
                in_query("deep", "Add up every call and event again.", enum=["true", "false"]),
                in_query("head", "A head noted earlier."),
            ],
            **_OURS,
        )
    },
    "/admin/v1/invoices/{id}/replay": {
        "get": operation(
            "Replay an invoice",
            "Open",
            errors=(404, 409),
            parameters=[in_path("id", "An invoice's id or number.")],
            **_OURS,
        )
    },
}
