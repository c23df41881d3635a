"""What ``market`` says of a month's value, its assumptions and what is missing, in Chinese, known by its form."""

from __future__ import annotations

_FIELD = r"'(?P<field>[^']+)'"
ZH: tuple[tuple[str, str], ...] = (
    # What is missing
    (r"\[demand\] is not stated", "未说明调用量（[demand]）"),
    (r"no plan in \[plans\] has a price", "没有标价的套餐（[plans]）"),
    (r"\[machine\] price_per_hour is not stated", "未说明机器每小时的价格（[machine] price_per_hour）"),
    (r"no rate was measured within the p99 limit", "在 p99 上限之内没有测得速率"),
    (r"the share of wrong answers was not measured", "没有测得答错的比例"),
    (r"the share of answers left open was not measured", "没有测得弃答的比例"),
    # What is assumed
    (r"callers wait as long as it takes .+", "未设 [gates] p99_ms，因此按最高速率计算，调用方等多久都可以"),
    (r"this model answers (?P<share>\S+) of all calls: .+", "各模型平分调用，本模型回答其中的 {share}"),
    (r"the busiest hour is (?P<times>\S+) times the mean", "最忙的一小时为平均的 {times} 倍"),
    (r"a wrong answer costs nothing, as .+", "未说明答错一次的代价（[costs] wrong_answer），按零计"),
    (r"payments cost no fee, as .+", "未说明支付手续费（[costs] payment_fee），按零计"),
    (r"storage costs nothing, as .+", "未说明存储费用（[costs] storage_per_call），按零计"),
    (
        r"an answer left open costs nothing, as .+",
        "未说明复核一次弃答的费用（[costs] review_per_abstention），按零计",
    ),
    (r"all calls come in equal shares through the paid plans \((?P<plans>.+)\)", "各付费套餐（{plans}）平分调用"),
    (r"all calls come through the plan (?P<plan>.+)", "全部调用来自套餐 {plan}"),
    (r"(?P<share>\S+) of all calls are in no plan and bring nothing", "{share} 的调用不在任何套餐之内，没有收入"),
    (
        r"a customer of (?P<plan>.+) makes exactly the (?P<calls>\d+) calls that are included",
        "套餐 {plan} 的每位客户恰好用完所含的 {calls} 次调用",
    ),
    (
        r"one customer makes all calls of (?P<plan>.+), which includes no number of calls",
        "套餐 {plan} 未含调用次数，视为由一位客户完成全部调用",
    ),
    (
        r"one customer makes all calls of (?P<plan>.+), so its tiers are counted once",
        "套餐 {plan} 的全部调用视为来自一位客户，阶梯只计一次",
    ),
    (r"explanations of (?P<plan>\S+) bring nothing: .+", "套餐 {plan} 的解释没有收入：未说明会用多少"),
    (
        r"(?P<meters>.+) of (?P<plan>\S+) bring nothing: .+",
        "套餐 {plan} 的 {meters} 没有收入：未说明会用多少",
    ),
    (
        r"calls of (?P<plan>.+) are answered, by a model and a variant that no charge names",
        "套餐 {plan} 的调用都得到回答，且不涉及计费项点名的模型或变体",
    ),
    # What cannot be valued
    (r"some of what was typed cannot be valued", "填写的内容有误，无法估算"),
    (rf"expected {_FIELD} as a release and its model, found (?P<found>.+)", "没有这个发布或模型：{found}"),
    (
        rf"expected {_FIELD} as a (?:whole )?number from (?P<low>\d+) to (?P<high>\d+), found (?P<found>.+)",
        "“{field}”应为 {low} 至 {high} 之间的数；填入的是 {found}",
    ),
    (
        r"expected plans in (?P<own>\w+), found a share for (?P<plans>.+); .+",
        "套餐应以 {own} 计价，而 {plans} 也占有份额；请将其份额设为零，或改选其币种",
    ),
    (r"expected at least one plan with a share of the calls, found none", "请至少给一个套餐留出调用份额"),
)
FIELDS = {
    "calls": "每月调用量",
    "each": "每位客户的调用量",
    "fee": "支付手续费",
    "machine": "机器每小时价格",
    "peak": "高峰与平均之比",
    "prices": "价格水平",
    "review": "复核一次弃答",
    "storage": "每次调用的存储",
    "unsold": "不在套餐内的调用",
    "what": "模型",
    "wrong": "答错一次的代价",
}
