"""OpenAPI of plans and of what customers hold."""

from __future__ import annotations

from modelmint.api.openapi_parts import CUSTOMER, FOUNDER, Node, in_path, operation

_VERBS = {
    "preview": "Preview a change of {whose} plan",
    "pause": "Pause {whose} plan",
    "resume": "Resume {whose} plan",
    "cancel": "Cancel {whose} plan",
    "unschedule": "Undo what is planned for {whose} plan",
}


def _held(base: str, whose: str, own: Node, errors: tuple[int, ...]) -> Node:
    shown = operation(f"Show {whose} plan", "Open", errors=errors, **own)
    wanted = operation(f"Change {whose} plan", "Open", body="WantedPlan", errors=(*errors, 404, 409), **own)
    found: Node = {base: {"get": shown, "post": wanted}}
    for verb, said in _VERBS.items():
        summary = said.format(whose=whose)
        found[f"{base}/{verb}"] = {
            "post": operation(summary, "Open", body="WantedMoment", errors=(*errors, 404, 409), **own)
        }
    return found


_FOUNDER: Node = {"tag": "founder", "security": FOUNDER}
_NAMED: Node = {**_FOUNDER, "parameters": [in_path("name", "A plan's name.")]}
_WHO: Node = {**_FOUNDER, "parameters": [in_path("customer", "A customer's id or exact name.")]}

PATHS: Node = {
    "/admin/v1/plans": {"get": operation("List versions of all plans", "Open", **_FOUNDER)},
    "/admin/v1/plans/{name}": {
        "get": operation("List versions of a plan", "Open", errors=(404,), **_NAMED),
        "put": operation("Put a plan on sale", "Open", body="Open", errors=(409,), **_NAMED),
        "delete": operation("Withdraw a plan", "Open", errors=(404, 409), **_NAMED),
    },
    **_held("/admin/v1/customers/{customer}/subscription", "a customer's", _WHO, (404,)),
    **_held("/v1/subscription", "own", {"tag": "customer", "security": CUSTOMER}, (403,)),
}
