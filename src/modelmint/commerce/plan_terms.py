"""A plan in one line that a customer can read, in English or Chinese."""

from __future__ import annotations

from decimal import Decimal

from modelmint.commerce.errors import UnknownLanguage
from modelmint.commerce.types import Charge, Plan
from modelmint.kit.money import Money

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "join": ", ",
        "month": "{amount} a month",
        "year": "{amount} a year in advance",
        "minimum": "at least {amount} a period",
        "cap": "usage at most {amount} a period",
        "prepaid": "from prepaid credit",
        "free": "{n} free calls",
        "days": "for {n} days",
        "max": "at most {n} calls a month",
        "rate": "{n} calls a minute",
        "p99": "p99 within {ms} ms",
        "availability": "{percent} % available",
        "promise": "{promised}, or {percent} % back",
        "included": "{n} {meter} included",
        "each": "{price} per {unit}",
        "then": "then {price} per {unit}",
        "up_to": "{price} per {unit} up to {n}",
        "package": "{price} per package of {n} {meter}",
        "percent": "{percent} % of {meter}",
        "included_amount": "the first {amount} of {meter} free",
        "count": "number of {meter}",
        "max_of": "largest {meter}",
        "unique": "different {meter}",
        "fits": "{text} ({fits})",
        # The others are words as they are.
        "meter.compute_ms": "ms of compute",
    },
    "zh": {
        "join": "，",
        "month": "每月 {amount}",
        "year": "每年预付 {amount}",
        "minimum": "每个账期最低 {amount}",
        "cap": "每个账期用量封顶 {amount}",
        "prepaid": "从预付余额扣除",
        "free": "免费调用 {n} 次",
        "days": "有效 {n} 天",
        "max": "每月至多 {n} 次调用",
        "rate": "每分钟 {n} 次调用",
        "p99": "p99 不超过 {ms} 毫秒",
        "availability": "可用性 {percent} %",
        "promise": "承诺{promised}，未达退还 {percent} %",
        "included": "含 {n} {meter}",
        "each": "每{unit} {price}",
        "then": "超出后每{unit} {price}",
        "up_to": "至 {n} 为止每{unit} {price}",
        "package": "每 {n} {meter} 一包 {price}",
        "percent": "{meter} 金额的 {percent} %",
        "included_amount": "{meter} 首 {amount} 免费",
        "count": "{meter} 条数",
        "max_of": "{meter} 最大值",
        "unique": "不同的 {meter}",
        "fits": "{text}（{fits}）",
        # The measure words of the meters that every shop has; a founder's own meters keep their names.
        "meter.calls": "次调用",
        "meter.items": "件",
        "meter.megapixels": "百万像素",
        "meter.characters": "个字符",
        "meter.tokens": "个词元",
        "meter.compute_ms": "毫秒计算时间",
        "meter.explanations": "次解释",
    },
}
LANGUAGES = tuple(_WORDS)


def terms_of(plan: Plan, language: str = "en") -> str:
    """``49.00 USD a month, 5,000 calls included, then 0.01 USD per call``; raises ``UnknownLanguage``."""
    if language not in _WORDS:
        raise UnknownLanguage(f"expected one of {', '.join(LANGUAGES)}, found {language!r}")
    words = _WORDS[language]
    parts = _money_terms(plan, words)
    for charge in plan.charges:
        parts += _charge_terms(charge, plan.currency or "", words)
    if plan.prepaid:
        parts.append(words["prepaid"])
    limits = (("free", plan.free_calls), ("days", plan.days), ("max", plan.max_calls), ("rate", plan.calls_per_minute))
    parts += [words[name].format(n=_grouped(n)) for name, n in limits if n is not None]
    if plan.promise is not None:
        promised = []
        if plan.promise.p99_ms is not None:
            promised.append(words["p99"].format(ms=_short(plan.promise.p99_ms)))
        if plan.promise.availability is not None:
            promised.append(words["availability"].format(percent=_short(plan.promise.availability * 100)))
        credit = _short(plan.promise.credit * 100)
        parts.append(words["promise"].format(promised=words["join"].join(promised), percent=credit))
    return words["join"].join(parts)


def _money_terms(plan: Plan, words: dict[str, str]) -> list[str]:
    amounts = (("month", plan.monthly), ("year", plan.yearly), ("minimum", plan.minimum), ("cap", plan.cap))
    return [words[name].format(amount=amount) for name, amount in amounts if amount is not None]


def _charge_terms(charge: Charge, currency: str, words: dict[str, str]) -> list[str]:
    meter, unit = _measure(charge, words)
    parts = []
    if charge.included and charge.kind == "percentage":
        parts.append(words["included_amount"].format(amount=Money(charge.included, currency), meter=meter))
    elif charge.included:
        parts.append(words["included"].format(n=_grouped(charge.included), meter=meter))
    if charge.percent is not None:
        parts.append(words["percent"].format(percent=_short(charge.percent * 100), meter=meter))
    for position, tier in enumerate(charge.tiers):
        if charge.kind == "package":
            parts.append(words["package"].format(price=tier.price, n=_grouped(charge.package or 0), meter=meter))
        elif tier.up_to is None:
            parts.append(words["then" if position or charge.included else "each"].format(price=tier.price, unit=unit))
        elif tier.price.amount == 0:
            parts.append(words["included"].format(n=_grouped(tier.up_to), meter=meter))
        else:
            up_to = _grouped(tier.up_to + charge.included)
            parts.append(words["up_to"].format(price=tier.price, unit=unit, n=up_to))
    asked = (charge.fits.model, charge.fits.variant, charge.fits.state)
    if named := [value for value in asked if value is not None]:
        parts = [words["fits"].format(text=part, fits=", ".join(named)) for part in parts]
    return parts


def _measure(charge: Charge, words: dict[str, str]) -> tuple[str, str]:
    """What is counted: after a number (``calls``), and after "per" (``call``)."""
    form = {"count": "count", "max": "max_of", "unique": "unique"}.get(charge.aggregate)
    meter = words[form].format(meter=charge.meter) if form else charge.meter
    known = None if form or charge.percent is not None else words.get(f"meter.{charge.meter}")
    if known:
        return known, known
    return meter, (" " if words is _WORDS["zh"] else "") + meter.removesuffix("s")


def _grouped(number: int | Decimal) -> str:
    """``20,000``."""
    return f"{number:,}"


def _short(number: Decimal) -> str:
    """Without needless zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
