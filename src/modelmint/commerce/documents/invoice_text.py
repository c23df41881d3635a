"""An invoice as plain text with its arithmetic, in English or Chinese, to print or to mail."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.errors import UnknownLanguage
from modelmint.commerce.rating.types import InvoiceLine

WIDTH = 78

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "invoice": "INVOICE {number}",
        "draft": "DRAFT INVOICE (not final)",
        "customer": "Customer",
        "period": "Period",
        "to": "{start} to {end} (UTC; the end is not included)",
        "plan": "Plan",
        "version": "{plan}, version {version}",
        "finalised": "Finalised",
        "description": "Description",
        "quantity": "Quantity",
        "price": "Unit price",
        "amount": "Amount",
        "total": "Total",
        "fee": "monthly fee for {month}",
        "all": "{month}: {quantity} x {price} = {exact}",
        "span": "{month}, {first} to {last}: {quantity} x {price} = {exact}",
        "up": "{month}, {first} and up: {quantity} x {price} = {exact}",
        "rounded": "{amount} after rounding the month's running total of {total}",
        "before": "{before} are on earlier invoices",
        "late": "counted after {month} was closed",
        "join": "; ",
    },
    "zh": {
        "invoice": "账单 {number}",
        "draft": "账单草稿（未定稿）",
        "customer": "客户",
        "period": "账期",
        "to": "{start} 至 {end}（UTC，不含终点）",
        "plan": "套餐",
        "version": "{plan}，版本 {version}",
        "finalised": "定稿时间",
        "description": "项目",
        "quantity": "数量",
        "price": "单价",
        "amount": "金额",
        "total": "合计",
        "fee": "{month} 月费",
        "all": "{month}：{quantity} × {price} = {exact}",
        "span": "{month}，第 {first} 至 {last} 个：{quantity} × {price} = {exact}",
        "up": "{month}，第 {first} 个起：{quantity} × {price} = {exact}",
        "rounded": "按当月累计 {total} 舍入为 {amount}",
        "before": "其中 {before} 个已计入先前账单",
        "late": "{month} 结账后补计",
        "join": "；",
    },
}
LANGUAGES = tuple(_WORDS)


def render(invoice: Invoice, language: str = "en") -> str:
    """Plain text, at most 78 columns where the names allow it; raises ``UnknownLanguage``."""
    if language not in _WORDS:
        raise UnknownLanguage(f"expected one of {', '.join(LANGUAGES)}, found {language!r}")
    words = _WORDS[language]
    title = words["invoice"].format(number=invoice.number) if invoice.number else words["draft"]
    span = words["to"].format(start=_day(invoice.period.start), end=_day(invoice.period.end))
    version = words["version"].format(plan=invoice.plan, version=invoice.plan_version)
    facts = [
        (words["customer"], f"{invoice.customer_name} ({invoice.customer})"),
        (words["period"], span),
        (words["plan"], version),
    ]
    if invoice.number:
        facts.append((words["finalised"], _day(invoice.finalised_at)))
    widest = max(_columns(name) for name, _ in facts)
    rule = "-" * WIDTH
    head = _row(words["description"], words["quantity"], words["price"], words["amount"])
    body = [text for line in invoice.lines for text in _line(line, language)]
    total = _row(words["total"], "", "", str(invoice.total))
    parts = [title, "", *(f"{_pad(name, widest)}  {value}" for name, value in facts), "", head, rule]
    parts += [*body, rule, total]
    if invoice.notice:
        parts += ["", invoice.notice]
    return "\n".join(part.rstrip() for part in parts) + "\n"


def explain(line: InvoiceLine, language: str = "en") -> str:
    """The arithmetic of ``line`` in ``language``."""
    words = _WORDS[language]
    data: Mapping[str, Any] = line.data
    values = {**data, "quantity": line.quantity, "price": line.unit_price, "amount": line.amount}
    if line.meter is None:
        return words["fee"].format(**values)
    form = "all" if data["first"] == 1 and data["last"] is None else "up" if data["last"] is None else "span"
    notes = [words[form].format(**values)]
    if data["rounded"]:
        notes.append(words["rounded"].format(total=data["before"] + line.quantity, amount=line.amount))
    if data["before"]:
        notes.append(words["before"].format(before=data["before"]))
    if data["late"]:
        notes.append(words["late"].format(month=data["month"]))
    return words["join"].join(notes)


def _line(line: InvoiceLine, language: str) -> list[str]:
    price = "" if line.unit_price is None else str(line.unit_price)
    return [
        _row(line.description, str(line.quantity), price, str(line.amount)),
        f"    {explain(line, language)}",
    ]


def _row(description: str, quantity: str, price: str, amount: str) -> str:
    return _pad(description, 36) + " " + _lead(quantity, 9) + " " + _lead(price, 15) + " " + _lead(amount, 15)


def _columns(text: str) -> int:
    """Columns on a terminal; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _pad(text: str, columns: int) -> str:
    return text + " " * (columns - _columns(text))


def _lead(text: str, columns: int) -> str:
    return " " * (columns - _columns(text)) + text


def _day(moment: datetime) -> str:
    text = f"{moment:%Y-%m-%d %H:%M:%S}"
    return text.removesuffix(" 00:00:00")
