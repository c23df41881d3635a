"""OpenAPI of payments."""

from __future__ import annotations

from modelmint.api.openapi_parts import CUSTOMER, FOUNDER, Node, in_path, in_query, operation

_OURS: Node = {"tag": "founder", "security": FOUNDER}
_NO_PROVIDER = 412

PATHS: Node = {
    "/webhooks/{provider}": {
        "post": operation(
            "Tell of a payment",
            "Open",
            tag="operation",
            errors=(400, 401, 404, 408, 413, 422),
            parameters=[in_path("provider", "Who tells: the venture's payment provider. Signed as it documents.")],
        )
    },
    "/admin/v1/payments": {
        "get": operation(
            "List payments",
            "Open",
            errors=(404,),
            parameters=[in_query("invoice", "An invoice's id or number.")],
            **_OURS,
        ),
        "post": operation(
            "Collect payments", "Open", body="WantedCollection", status=201, errors=(404, 409, _NO_PROVIDER), **_OURS
        ),
    },
    "/v1/invoices/{id}/checkout": {
        "post": operation(
            "Open a page to pay on",
            "Open",
            body="WantedCheckout",
            status=201,
            tag="customer",
            security=CUSTOMER,
            errors=(403, 404, 409, _NO_PROVIDER),
            parameters=[in_path("id", "An own invoice's id or number.")],
        )
    },
}
