"""The component schemas of what founders and customers send."""

from __future__ import annotations

from modelmint.api.openapi_schemas import Schema, text

MONTH_PATTERN = r"^20\d{2}-(0[1-9]|1[0-2])$"
_TEXT = text("Without control characters.", minLength=1, maxLength=500)
_MONEY = text("Like `12.30 USD`.", pattern=r"^\d{1,9}(\.\d{1,2})? (USD|EUR|CNY)$", maxLength=500)
_SHARE = text("Like `20 %` or `0.2`.", pattern=r"^(\d{1,2}(\.\d{1,2})? ?%|0\.\d{1,4})$", maxLength=500)
_MONTH = text("Like `2026-11`.", pattern=MONTH_PATTERN)
_MOMENT = text("ISO 8601 with its time zone, or a day.", format="date-time")
_URL = text("https.", format="uri", pattern="^https://", maxLength=500)


def _body(description: str, required: list[str], **properties: Schema) -> Schema:
    return {"type": "object", "description": description, "properties": properties, "required": required}


SCHEMAS: dict[str, Schema] = {
    "WantedMoment": _body(
        "A moment to do it at: `now` (where it is left out), `period_end`, or a time to come; for a preview a plan.",
        [],
        at=_TEXT,
        plan=_TEXT,
    ),
    "WantedCredit": _body(
        "A gift or a purchase of prepaid credit; the lowest priority is used first.",
        ["amount"],
        amount=_MONEY,
        priority={"type": "integer", "minimum": 0, "maximum": 1000},
        expires_at=_MOMENT,
        source=_TEXT,
        note=_TEXT,
    ),
    "WantedDetails": _body(
        "Billing details; what is left out stays.",
        [],
        tax_rate=_SHARE,
        tax_name=text(maxLength=500),
        tax_id=text(maxLength=500),
        address=text(maxLength=500),
        language=text(enum=["en", "zh"]),
        anchor={"type": "integer", "minimum": 1, "maximum": 28, "description": "The day on which periods begin."},
    ),
    "WantedReference": _body("How it was paid; the same again changes nothing.", [], reference=_TEXT),
    "WantedReason": _body("Why.", ["reason"], reason=_TEXT),
    "WantedCreditNote": _body(
        "Takes back lines, an amount before tax, or all.",
        ["reason"],
        reason=_TEXT,
        lines={"type": "array", "items": {"type": "integer", "minimum": 1}, "description": "Positions, from 1."},
        amount=_MONEY,
    ),
    "WantedPartner": _body(
        "A customer who sells: on commission (where nothing is said) or wholesale.",
        ["customer", "rate"],
        customer=_TEXT,
        rate=_SHARE,
        terms=text(enum=["commission", "wholesale"]),
    ),
    "WantedStatement": _body("A month to close.", ["period"], period=_MONTH),
    "WantedPayOut": _body(
        "A closed statement that was paid, all of it or a part.",
        ["period"],
        period=_MONTH,
        amount=_MONEY,
        reference=_TEXT,
    ),
    "WantedReferral": _body(
        "A code, the channel that it stands for, and the partner that it belongs to.",
        ["code", "channel"],
        code=_TEXT,
        channel=_TEXT,
        partner=_TEXT,
    ),
    "WantedErasure": _body(
        "The customer's id once more; `force` although something is owed.",
        ["confirm"],
        confirm=_TEXT,
        force={"type": "boolean"},
    ),
    "WantedCollection": _body("One invoice; everything that is due where it is left out.", [], invoice=_TEXT),
    "WantedCheckout": _body(
        "Where the provider sends the payer back to.", ["success_url"], success_url=_URL, cancel_url=_URL
    ),
    "WantedWebhook": _body(
        "An address; all kinds of messages where none is named.",
        ["url"],
        url=_URL,
        kinds={"type": "array", "maxItems": 100, "items": text()},
    ),
    "WantedReplay": _body("Since when.", ["since"], since=_MOMENT),
}
