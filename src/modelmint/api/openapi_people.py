"""OpenAPI of keys, the audit log, alarms and erasure."""

from __future__ import annotations

from modelmint.api.openapi_parts import CUSTOMER, FOUNDER, PAGE, Node, in_path, in_query, operation

_OWN: Node = {"tag": "customer", "security": CUSTOMER}
_OURS: Node = {"tag": "founder", "security": FOUNDER}
_KEY = [in_path("id", "A key's id.")]
_WHO = [in_path("customer", "A customer's id or exact name.")]
_OPEN = [in_query("open", "`true`: only alarms that have not ended.", enum=["true", "false"])]
_PAGE = [
    in_query("subject", "An id: of a customer (with its keys), a key, a plan."),
    in_query("actor", "`founder`, `system`, `customer:ID` or `partner:ID`."),
    in_query("since", "A moment or a day."),
    in_query("before", "The `seq` at which the former page ended.", pattern=r"^\d+$"),
    in_query("limit", "How many at most, 1 to 1000.", pattern=r"^\d+$"),
]

PATHS: Node = {
    "/v1/keys": {
        "get": operation("List keys", "Keys", errors=(403, 422), parameters=PAGE, **_OWN),
        "post": operation("Make a key", "NewKey", body="WantedKey", status=201, errors=(403, 409), **_OWN),
    },
    "/v1/keys/{id}": {"delete": operation("Revoke a key", "Key", errors=(403, 404), parameters=_KEY, **_OWN)},
    "/v1/keys/{id}/rotate": {
        "post": operation(
            "Rotate a key",
            "NewKey",
            body="WantedRotation",
            status=201,
            errors=(403, 404, 409),
            parameters=_KEY,
            **_OWN,
        )
    },
    "/v1/alarms": {
        "get": operation("List alarms of own keys", "Open", errors=(403, 422), parameters=_OPEN, **_OWN),
    },
    "/admin/v1/keys": {"get": operation("List all keys", "Keys", errors=(422,), parameters=PAGE, **_OURS)},
    "/admin/v1/keys/{id}": {"delete": operation("Revoke any key", "Key", errors=(404,), parameters=_KEY, **_OURS)},
    "/admin/v1/keys/{id}/rotate": {
        "post": operation(
            "Rotate any key", "NewKey", body="WantedRotation", status=201, errors=(404, 409), parameters=_KEY, **_OURS
        )
    },
    "/admin/v1/customers/{customer}/keys": {
        "post": operation(
            "Make a customer's key",
            "NewKey",
            body="WantedKey",
            status=201,
            errors=(404, 409),
            parameters=_WHO,
            **_OURS,
        )
    },
    "/admin/v1/customers/{customer}/erase": {
        "post": operation("Erase a customer", "Open", body="WantedErasure", errors=(404, 409), parameters=_WHO, **_OURS)
    },
    "/admin/v1/audit": {"get": operation("Read the audit log", "Open", errors=(422,), parameters=_PAGE, **_OURS)},
    "/admin/v1/alarms": {"get": operation("List alarms", "Open", errors=(422,), parameters=_OPEN, **_OURS)},
}
