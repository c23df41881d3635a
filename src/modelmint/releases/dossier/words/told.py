"""Sentences that a build wrote in English into statements and data cards, said in Chinese.

They are written once, in English, and signed so. Each form that ``workshop`` and ``data`` write is known here; the
values in it are carried over. A sentence of another form is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_KEY = r"[^\s,;:]+"
_NUMBER = r"[-\d.,e+]+"
_ASSUMED: tuple[tuple[str, str], ...] = (
    (
        r"callers wait as long as it takes at the highest rate, as \[gates\] p99_ms sets no limit",
        "[gates] 未以 p99_ms 设限，故假设调用方在最高速率下愿意一直等待",
    ),
    (
        rf"this model answers (?P<share>{_NUMBER}) of all calls: the models share them equally",
        "此模型承担全部调用的 {share}：各模型均分",
    ),
    (rf"the busiest hour is (?P<times>{_NUMBER}) times the mean", "最忙一小时的调用是平均的 {times} 倍"),
    (
        r"a wrong answer costs nothing, as \[costs\] wrong_answer is not stated",
        "未填 [costs] wrong_answer，故答错视为无损失",
    ),
    (r"payments cost no fee, as \[costs\] payment_fee is not stated", "未填 [costs] payment_fee，故支付视为无手续费"),
    (
        r"storage costs nothing, as \[costs\] storage_per_call is not stated",
        "未填 [costs] storage_per_call，故存储视为免费",
    ),
    (
        r"an answer left open costs nothing, as \[costs\] review_per_abstention is not stated",
        "未填 [costs] review_per_abstention，故不作判定视为无成本",
    ),
    (
        r"all calls come in equal shares through the paid plans \((?P<plans>.+)\)",
        "全部调用由各付费套餐均分（{plans}）",
    ),
    (r"all calls come through the plan (?P<plan>.+)", "全部调用来自套餐 {plan}"),
    (
        rf"(?P<share>{_NUMBER}) of all calls are in no plan and bring nothing",
        "全部调用的 {share} 不属于任何套餐，没有收入",
    ),
    (
        r"a customer of (?P<plan>.+) makes exactly the (?P<included>\d+) calls that are included",
        "套餐 {plan} 的每位客户恰好用完内含的 {included} 次调用",
    ),
    (
        r"one customer makes all calls of (?P<plan>.+), which includes no number of calls",
        "套餐 {plan} 未内含调用次数，故假设其调用全部来自一位客户",
    ),
    (
        r"one customer makes all calls of (?P<plan>.+), so its tiers are counted once",
        "假设套餐 {plan} 的调用全部来自一位客户，故阶梯只计一次",
    ),
    (
        r"explanations of (?P<plan>.+) bring nothing: how much is used is not expected anywhere",
        "套餐 {plan} 的解释不计收入：没有预期用量",
    ),
    (
        r"(?P<meters>.+) of (?P<plan>.+) bring nothing: how much is used is not expected anywhere",
        "套餐 {plan} 的 {meters} 不计收入：没有预期用量",
    ),
    (
        r"calls of (?P<plan>.+) are answered, by a model and a variant that no charge names",
        "假设套餐 {plan} 的调用都得到判定，且由收费项未点名的模型和版本处理",
    ),
)
_UNKNOWN: tuple[tuple[str, str], ...] = (
    (r"\[demand\] is not stated", "未填写 [demand]"),
    (r"no plan in \[plans\] has a price", "[plans] 中没有收费的套餐"),
    (r"\[machine\] price_per_hour is not stated", "未填写 [machine] price_per_hour"),
    (r"no rate was measured within the p99 limit", "在 p99 限值之内没有测得速率"),
)
_WHERE = r"(?P<where>inside the gates|among those that fail only \d+ of the gates on validation)"
_MEASURE = r"(?P<measure>monthly value|CPU time a call)"
_TIE = rf"(?P<key>{_KEY}) is chosen: its {_MEASURE} ties with (?P<others>.+) within the interval"
_CHOSEN: tuple[tuple[str, str], ...] = (
    (rf"(?P<key>{_KEY}) is chosen: it is the only candidate {_WHERE}\.", "{where}只有 {key} 一个候选，故入选。"),
    (
        rf"(?P<key>{_KEY}) is chosen: it has the (?:highest|lowest) {_MEASURE} {_WHERE}, "
        rf"(?P<gap>{_NUMBER}) (?P<currency>[A-Z]*) ?more than (?P<second>{_KEY})\.",
        "{key} 入选：{where}它的{measure}最优，比 {second} 多 {gap} {currency}。",
    ),
    (
        rf"(?P<key>{_KEY}) is chosen: it has the (?:highest|lowest) {_MEASURE} {_WHERE}, "
        rf"(?P<mine>{_NUMBER}) ms against (?P<theirs>{_NUMBER}) ms of (?P<second>{_KEY})\.",
        "{key} 入选：{where}它的{measure}最优，{mine} 毫秒，{second} 为 {theirs} 毫秒。",
    ),
    (
        rf"{_TIE}, and it is the most accurate on validation\.",
        "{key} 入选：{measure}与 {others} 在区间内不分高下，而它在验证集上最准。",
    ),
    (
        rf"{_TIE}, accuracy too, and it has the fewest bytes \((?P<bytes>[\d,]+)\)\.",
        "{key} 入选：{measure}和准确率都与 {others} 在区间内不分高下，而它字节数最少（{bytes}）。",
    ),
    (
        rf"{_TIE}, accuracy too; of those with the fewest bytes \((?P<bytes>[\d,]+)\) it takes less CPU time than "
        r"(?P<rest>.+)\.",
        "{key} 入选：{measure}和准确率都与 {others} 在区间内不分高下；"
        "字节数最少（{bytes}）的几个之中，它比 {rest} 更省 CPU 时间。",
    ),
)
_INTERVAL = (
    rf"(?P<after>{_NUMBER}) ms CPU a call \[(?P<al>{_NUMBER}), (?P<ah>{_NUMBER})\] against (?P<before>{_NUMBER}) "
    rf"\[(?P<bl>{_NUMBER}), (?P<bh>{_NUMBER})\]"
)
_REJECTED: tuple[tuple[str, str], ...] = (
    (r"baseline: the shop serves without torch", "对照：店面不依赖 torch"),
    (r"it was never measured", "从未测量"),
    (
        rf"parity: probabilities differ from the parent's by (?P<found>{_NUMBER}) on average, at most "
        rf"(?P<most>{_NUMBER}) is allowed",
        "一致性不足：概率与原模型平均相差 {found}，最多允许 {most}",
    ),
    (
        rf"parity: (?P<flips>\d+) of (?P<rows>\d+) answers on validation flipped, at most "
        rf"(?P<most>{_NUMBER}%) is allowed",
        "一致性不足：验证集 {rows} 个答案中有 {flips} 个改变，最多允许 {most}",
    ),
    (r"not timed, so not known to be cheaper", "未计时，无法确认更省"),
    (
        rf"dearer than (?P<parent>{_KEY}): {_INTERVAL}",
        "比 {parent} 更费：每次调用 CPU {after} 毫秒 [{al}, {ah}]，后者 {before} [{bl}, {bh}]",
    ),
    (
        rf"not measurably cheaper than (?P<parent>{_KEY}): {_INTERVAL}",
        "未测出比 {parent} 更省：每次调用 CPU {after} 毫秒 [{al}, {ah}]，后者 {before} [{bl}, {bh}]",
    ),
    (
        r"its parent could not be scored, so neither parity nor saving is known",
        "其原模型无法评分，一致性与节省均不详",
    ),
    (
        r"could not be made: quantise: no operator of this graph can compute with 8-bit numbers; it has (?P<kinds>.+)",
        "无法制成：此图中没有能以 8 位整数计算的算子，只有 {kinds}",
    ),
    (r"could not be made: (?P<error>.+)", "无法制成：{error}"),
    (r"could not be run: (?P<error>.+)", "无法运行：{error}"),
    (r"load test failed: (?P<error>.+)", "负载测试失败：{error}"),
)
_NOTES: tuple[tuple[str, str], ...] = (
    (
        rf"load-tested while other programs kept (?P<cores>{_NUMBER}) cores busy",
        "负载测试期间其他程序占用 {cores} 个核",
    ),
    (r"no rate: at every level of load calls failed or none came back", "没有速率：每一档负载都有调用失败或没有返回"),
    (
        rf"no rate: no level of load (?P<wanted>was priced|kept p99 within {_NUMBER} ms); nearest were "
        rf"(?P<clients>\d+) clients with p50 (?P<p50>{_NUMBER}) ms, p99 (?P<p99>{_NUMBER}) ms, "
        rf"(?P<rate>{_NUMBER}) calls/s",
        "没有速率：没有一档负载{wanted}；最接近的是 {clients} 个调用方，p50 {p50} 毫秒，p99 {p99} 毫秒，每秒 {rate} 次",
    ),
)
_EXPLAINED: tuple[tuple[str, str], ...] = (
    (r"the explanations could not be measured: (?P<error>.+)", "测量失败：{error}"),
)
_DATA: tuple[tuple[str, str], ...] = (
    (
        r"(?P<made>.+) cut from (?P<whole>train|all rows) by (?P<by>.+), seed (?P<seed>\d+)",
        "由{whole}按{by}划出：{made}，随机种子 {seed}",
    ),
    (r"as the source states them", "按来源所给"),
    (r"places in data\.labels, from 0", "data.labels 中的位置，从 0 起"),
    (r"not stated", "未注明"),
    (r"none found", "没有发现"),
    (r"(?P<count>\d+) pairs?", "{count} 对"),
    (
        r"with a near duplicate in train: (?P<test>\d+) of (?P<tests>\d+) test pictures, "
        r"(?P<val>\d+) of (?P<vals>\d+) val pictures",
        "在训练集中有近似重复的：{tests} 张测试图片中 {test} 张，{vals} 张验证图片中 {val} 张",
    ),
)
#: Short phrases inside the values above.
_PHRASES = {
    "monthly value": "月价值",
    "CPU time a call": "每次调用的 CPU 时间",
    "inside the gates": "达标的候选中",
    "all rows": "全部图片",
    "train": "训练集",
    "class": "类别",
    "class and by group": "类别并保持分组完整",
    "was priced": "可以定价",
}
_FORMS = [
    (re.compile(form, re.DOTALL), said)
    for form, said in (*_ASSUMED, *_UNKNOWN, *_CHOSEN, *_REJECTED, *_NOTES, *_EXPLAINED, *_DATA)
]
_LONGEST = 2000


def told(text: str) -> str:
    """``text`` in Chinese where its form is known; several sentences may stand behind each other with "; "."""
    if len(text) > _LONGEST:
        return text
    parts, found, known = text.split("; "), [], False
    while parts:
        # A form may hold "; " itself, so the longest stretch that is known goes first.
        longest = ((n, said) for n in range(len(parts), 0, -1) if (said := _one("; ".join(parts[:n]))) is not None)
        taken, said = next(longest, (1, parts[0]))
        known = known or said != parts[0]
        found.append(said)
        parts = parts[taken:]
    return "；".join(found) if known else text


def _one(text: str) -> str | None:
    for form, said in _FORMS:
        if found := form.fullmatch(text):
            return said.format(**{name: _phrase(value or "") for name, value in found.groupdict().items()}).strip()
    return None


def _phrase(value: str) -> str:
    for form, said in _SHORT:
        if found := form.fullmatch(value):
            return said(found)
    return _PHRASES.get(value, value)


_SHORT: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r"among those that fail only (\d+) of the gates on validation"),
        lambda found: f"在验证集上只有 {found[1]} 项不达标的候选中",
    ),
    (re.compile(rf"kept p99 within ({_NUMBER}) ms"), lambda found: f"把 p99 控制在 {found[1]} 毫秒以内"),
    (
        re.compile(r"((?:(?:train|val|test) \(\d+%\)(?: and |, )?)+)"),
        lambda found: (
            found[1].replace("val", "验证集").replace("test", "测试集").replace(" and ", "和").replace(", ", "、")
        ),
    ),
)
