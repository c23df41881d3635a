"""Every kind of invoice line said in Chinese, from its ``kind`` and ``data`` (keys: where the line is made)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from modelmint.commerce.rating.types import InvoiceLine
from modelmint.commerce.rating.usage import json_number

#: (description, explanation).
Said = tuple[str, str]

_METERS = {
    "calls": "调用次数",
    "items": "条目数",
    "megapixels": "百万像素",
    "characters": "字符数",
    "tokens": "词元数",
    "compute_ms": "计算毫秒",
    "explanations": "解释次数",
}
_COUNTED = {"sum": "{meter}", "count": "{meter}的事件数", "max": "{meter}最大值", "unique": "不同的{meter}"}
_FITS = {"model": "模型", "variant": "变体", "state": "状态"}
_STATES = {"ok": "正常", "abstained": "弃答"}
_MISSED = {
    "p99": "99% 的调用耗时不超过 {p99_ms} 毫秒，承诺为 {promised_p99_ms} 毫秒",
    "availability": "{calls} 次调用中 {failed} 次失败，承诺成功率为 {promised_availability}%",
}
_DAY, _SECOND = 86_400_000_000, 1_000_000


def _counted(line: InvoiceLine) -> str:
    data, meter = line.data, line.meter or ""
    name = _COUNTED[data.get("aggregate", "sum")].format(meter=_METERS.get(meter, f" {meter} ").strip())
    asked = "，".join(
        f"{_FITS[key]} {_STATES.get(value, value) if key == 'state' else value}"
        for key, value in data.get("fits", {}).items()
    )
    return f"{name}（{asked}）" if asked else name


def _where(line: InvoiceLine) -> str:
    data = line.data
    first, last = data["first"], data["last"]
    if first == 1 and last is None:
        return ""
    if data.get("whole", True):
        return f"第 {first} 个起" if last is None else f"第 {first} 至 {last} 个"
    above = data["above"]
    return f"超过 {above} 的部分" if last is None else f"{above} 至 {last} 的部分"


def _asides(line: InvoiceLine) -> list[str]:
    data = line.data
    notes = []
    if data["rounded"]:
        total = Decimal(str(data["before"])) + Decimal(line.quantity)
        notes.append(f"按账期累计 {json_number(total)} 舍入为 {line.amount}")
    if Decimal(str(data["before"])):
        notes.append(f"已计费 {data['before']}")
    if data["late"]:
        notes.append(f"{data['month']} 结账后补计")
    if "held_us" in data:
        notes.append(f"内含量与阶梯按持有时间 {_days(data['held_us'])} / {_days(data['whole_us'])} 计")
    return notes


def _usage(line: InvoiceLine) -> Said:
    data, where = line.data, _where(line)
    span = f"{data['month']}，{where}" if where else data["month"]
    free = "（套餐内含）" if data.get("included") else ""
    said = f"{span}{free}：{line.quantity} × {line.unit_price} = {data['exact']}"
    return f"{_counted(line)} {where}".rstrip(), "；".join([said, *_asides(line)])


def _package(line: InvoiceLine) -> Said:
    data = line.data
    if data.get("included"):
        return _usage(line)
    after = f"（此前 {data['units_before']} 个）" if Decimal(str(data["units_before"])) else ""
    beyond = f"内含的 {data['above']} 个之外，" if data["above"] else ""
    begun = f"{beyond}{data['units']} 个{after}开启 {line.quantity} 包，每包 {data['package']} 个"
    said = f"{data['month']}，{begun}：{line.quantity} × {line.unit_price} = {data['exact']}"
    return f"{_counted(line)}，每包 {data['package']} 个", "；".join([said, *_asides(line)])


def _percentage(line: InvoiceLine) -> Said:
    data = line.data
    free = "（套餐内含）" if data.get("included") else ""
    currency = line.amount.currency
    said = f"{data['month']}{free}：{line.quantity} {currency} 的 {data['percent']}% = {data['exact']}"
    return f"{_counted(line)}金额的 {data['percent']}%", "；".join([said, *_asides(line)])


def _recount(line: InvoiceLine) -> Said:
    data, whole = line.data, _days(line.data["whole_us"])
    then, now = _days(data["then_us"]), _days(data["held_us"])
    said = f"{data['month']}，已计费 {data['units']}：按持有 {then} / {whole} 计 {data['then']}"
    return f"{_counted(line)}重新计算", f"{said}；按持有 {now} 计 {data['now']}"


def _monthly(line: InvoiceLine) -> Said:
    data = line.data
    month = data["month"]
    held, whole = data.get("held_us", 1), data.get("whole_us", 1)
    if held == whole:  # the first release had whole months only, and neither key
        return f"{month} 月费", f"{month} 月费：1 × {data.get('fee', line.unit_price)}"
    said = f"{month} 月费：{_days(held)} / {_days(whole)} × {data['fee']} = {line.amount}"
    before = [f"已计费 {_days(data['before_us'])}"] if data["before_us"] else []
    return f"{month} 月费", "；".join([said, *before])


def _yearly(line: InvoiceLine) -> Said:
    data = line.data
    years = f"{data['from']} 至 {data['to']}"
    rest, whole = data["rest_us"], data["whole_us"]
    if rest == whole:
        return f"{years} 年费", f"{years} 年费：1 × {data['fee']}"
    what = "退还未用部分" if data["returned"] else "剩余部分"
    return (
        f"{years} 年费，{what}",
        f"{years} 年费{what}：{_days(rest)} / {_days(whole)} × {data['fee']} = {line.amount}",
    )


def _cap(line: InvoiceLine) -> Said:
    data = line.data
    said = f"{data['month']} 用量计 {data['usage']}，最多收取 {data['cap']}"
    said += f"（整期为 {data['full']}）" if "full" in data else ""
    before = [f"已收取 {data['before']}"] if Decimal(data["before"].split()[0]) else []
    return f"{data['month']} 用量封顶 {data['cap']}", "；".join([said, *before])


def _minimum(line: InvoiceLine) -> Said:
    data = line.data
    said = f"{data['month']} 费用与用量合计 {data['reached']}，约定最低 {data['minimum']}"
    notes = [f"整期为 {data['full']}"] if data["full"] != data["minimum"] else []
    notes += ["用量补计，先前补足的相应扣回"] if data["late"] else []
    return f"{data['month']} 最低消费 {data['minimum']}", "；".join([said, *notes])


def _service_credit(line: InvoiceLine) -> Said:
    data = line.data
    missed = "；".join(_MISSED[name].format(**data) for name in data["missed"])
    return f"{data['month']} 服务补偿", f"{missed}：退还 {data['of']} 的 {data['percent']}%"


def _correction(line: InvoiceLine) -> Said:
    data = line.data
    what = f"更正账单 {data['corrects']}"
    of = f"第 {data['line']} 行（{data['of']}）" if data["line"] else f"退还 {-line.amount}"
    return f"{what} 第 {data['line']} 行" if data["line"] else what, f"{what}，{of}：{data['reason']}"


def _days(span: int) -> str:
    days, rest = divmod(span, _DAY)
    seconds, fraction = divmod(rest, _SECOND)
    clock = f" {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}" if rest else ""
    return f"{days} 天{clock}" + (f".{fraction:06}" if fraction else "")


#: By ``kind`` (a test walks rating and billing for kinds that are not here).
KINDS: dict[str, Callable[[InvoiceLine], Said]] = {
    "per_unit": _usage,
    "graduated": _usage,
    "package": _package,
    "percentage": _percentage,
    "recount": _recount,
    "flat_monthly": _monthly,
    "flat_yearly": _yearly,
    "cap": _cap,
    "minimum": _minimum,
    "service_credit": _service_credit,
    "correction": _correction,
}
