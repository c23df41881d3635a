"""What the books and their errors say in English, said in Chinese where a page shows it.

Errors, memos of the ledger and reports of deliveries are written once, in English, and kept so. Those that readers
meet most are recognised here by their form; the values in them are carried over. Whatever is not recognised is shown
as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from modelmint.console.words import told_errors, told_market

#: Fields of forms, as their labels call them.
FIELDS: Mapping[str, str] = {
    "account": "科目",
    "address": "地址",
    "after": "起始位置",
    "amount": "金额",
    "anchor": "账期起始日",
    "before": "起始位置",
    "channel": "渠道",
    "code": "推荐码",
    "currency": "币种",
    "customer": "客户",
    "email": "邮箱",
    "expires": "到期日",
    "from": "起始位置",
    "language": "语言",
    "message": "消息",
    "month": "月份",
    "name": "名称",
    "note": "备注",
    "overlap": "旧密钥继续有效",
    "plan": "套餐",
    "rate": "比例",
    "reason": "原因",
    "reference": "付款凭据",
    "source": "来源",
    "tax_id": "税号",
    "tax_name": "税种",
    "tax_rate": "税率",
    "terms": "条件",
    "url": "地址",
}
_FIELD = r"'(?P<field>\w+)'"
_ZH: tuple[tuple[str, str], ...] = (
    # Releases
    (
        r"no release starts with (?P<wanted>.+?); on the shelf: none; `modelmint build` makes one",
        "没有以 {wanted} 开头的发布；目前还没有任何发布，可用 modelmint build 构建",
    ),
    (
        r"no release starts with (?P<wanted>.+?); on the shelf: (?P<known>.+)",
        "没有以 {wanted} 开头的发布；现有：{known}",
    ),
    (
        r"(?P<wanted>.+) fits (?P<number>\d+) releases \((?P<shown>.+)\); give more characters",
        "有 {number} 个发布以 {wanted} 开头（{shown}），请再多写几位",
    ),
    (
        r"release (?P<id>\w+) on the shelf is broken: .+\. Its folder: (?P<folder>.+)",
        "发布 {id} 已损坏，无法打开。所在文件夹：{folder}",
    ),
    # Forms
    (rf"expected something in {_FIELD} of at most (?P<most>\d+) characters", "请填写“{field}”，至多 {most} 个字符"),
    (rf"expected {_FIELD} without control characters", "“{field}”不能含控制字符"),
    (
        rf"expected {_FIELD} as a day like (?P<like>\S+), found (?P<found>.+)",
        "“{field}”应为日期，如 {like}；填入的是 {found}",
    ),
    (rf"expected {_FIELD} as a whole number, found (?P<found>.+)", "“{field}”应为整数；填入的是 {found}"),
    (
        rf"expected {_FIELD} in percent like 15 or 2\.5, found (?P<found>.+)",
        "“{field}”应为百分数，如 15 或 2.5；填入的是 {found}",
    ),
    (
        rf"expected {_FIELD} as an amount like (?P<like>\S+), found (?P<found>.+)",
        "“{field}”应为金额，如 {like}；填入的是 {found}",
    ),
    (rf"expected {_FIELD} as one of (?P<known>.+)", "“{field}”应为以下之一：{known}"),
    (r"expected a day of the month, 1 to 31, found (?P<found>.+)", "应为 1 至 31 日；填入的是 {found}"),
    (r"expected the customer's name, typed exactly, .+", "请准确输入客户名称，以确认确实要删除"),
    # Money and time
    (r"expected an amount below (?P<most>.+), found (?P<found>.+)", "金额须小于 {most}；填入的是 {found}"),
    (r"expected an amount above zero, found (?P<found>.+)", "金额须大于零；填入的是 {found}"),
    (
        r"expected an amount above zero and up to (?P<most>.+) \(.+\), found (?P<found>.+)",
        "金额须大于零且不超过 {most}（账单税前剩余金额）；填入的是 {found}",
    ),
    (r"(?P<found>'.+') is finer than the smallest coin of (?P<coin>\w+)", "{found} 的小数位超过了 {coin} 的最小单位"),
    (r"expected a month like (?P<like>\S+), found (?P<found>.+)", "应为月份，如 {like}；填入的是 {found}"),
    (r"expected a moment (?:with its time zone, )?like (?P<like>\S+?),? .*found (?P<found>.+)",
     "应为带时区的时间，如 {like}，或一个日期；填入的是 {found}"),
    (r"expected a year from (?P<first>\d+) to (?P<last>\d+), found (?P<found>.+)",
     "年份须在 {first} 至 {last} 之间；填入的是 {found}"),
    (r"expected a moment in the future, found (?P<found>.+); it is (?P<now>.+) now",
     "应为将来的时间；填入的是 {found}，现在是 {now}"),
    (r"expected an end to come, found (?P<found>.+)", "到期日须在将来；填入的是 {found}"),
    (r"a key cannot make one that outlives it; it ends (?P<end>.+)",
     "新密钥不能比当前密钥更晚到期；当前密钥于 {end} 到期"),
    # Names, plans, codes
    (r"this cannot be a customer's name; choose another", "该客户名称不可用，请换一个"),
    (r"this cannot be a key's name; choose another", "该密钥名称不可用，请换一个"),
    (r"expected 1 to (?P<most>\d+) characters, found (?P<found>\d+)", "应为 1 至 {most} 个字符；现有 {found} 个"),
    (r"expected no control characters and no line breaks, found (?P<found>.+)", "不能含控制字符或换行；发现 {found}"),
    (r"expected no beginning like an id \((?P<ids>.+)\), found (?P<found>.+)",
     "开头不能像标识（{ids}）；现在是 {found}"),
    (r"a customer called (?P<found>.+) exists already; choose another name", "已有名为 {found} 的客户，请换一个名称"),
    (r"there is no plan (?P<found>'.*?')\..*Plans on sale: (?P<known>.+)", "没有套餐 {found}。在售套餐：{known}"),
    (r"the plan (?P<found>'.*?') is not on sale any more; .+Plans on sale: (?P<known>.+)",
     "套餐 {found} 已停售，持有者不受影响。在售套餐：{known}"),
    (r"no referral code (?P<found>.+) is valid; .+", "没有有效的推荐码 {found}；请核对拼写，或留空"),
    (r"these scopes cannot be given; there are: (?P<known>.+)", "无法授予所选权限；可用权限：{known}"),
    (r"expected at least one scope of (?P<known>.+), found none", "请至少选择一项权限：{known}"),
    # Credit, corrections, invoices, erasure
    (r"this credit cannot be given", "无法授予该余额"),
    (r"these billing details cannot be", "计费信息有误"),
    (r"expected a tax rate from 0 to 1 with at most 6 decimals, like 0\.19, found (?P<found>.+)",
     "税率须在 0 至 100 % 之间；填入的是 {found}"),
    (r"expected an anchor from 1 to 31, a day of the month, found (?P<found>.+)",
     "账期起始日应为 1 至 31；填入的是 {found}"),
    (r"no credit note can be made of invoice (?P<number>\S+) so", "无法这样为账单 {number} 开具贷记单"),
    (r"expected a reason of 1 to (?P<most>\d+) characters: .+", "请填写原因（1 至 {most} 个字符），它将写在贷记单上"),
    (r"(?P<paid>.+) of invoice (?P<number>\S+) was paid; make a credit note instead, or refund it",
     "账单 {number} 已收到 {paid}；请改开贷记单，或先退款"),
    (r"invoice (?P<number>\S+) has credit notes; .+", "账单 {number} 已有贷记单；其余部分请再开一张贷记单"),
    (r"(?P<who>\S+) cannot be erased yet; settle what is open, .+", "尚不能删除 {who} 的数据，请先处理以下未结事项"),
    (r"the plan (?P<found>.+) is held or not billed to its end: .+",
     "套餐 {found} 仍在使用或尚未出账至结束：请取消套餐并出账"),
    (r"usage is not billed yet: .+", "尚有用量未出账，请先出账"),
    (r"(?P<left>.+) of prepaid credit is left \(.+\)", "预付余额尚余 {left}"),
    # Webhooks
    (r"a webhook's URL cannot be used", "该接收地址不可用"),
    (r"expected (?P<known>https?://|https or http://), found (?P<found>.+)", "地址应以 {known} 开头；现在是 {found}"),
    (r"expected a host, found none", "地址缺少主机名"),
    (r"expected no user and password in it; .+", "地址中不能含用户名和密码"),
    (r"expected kinds among (?P<known>.+), or \* for all", "消息种类应为：{known}，或 * 表示全部"),
    (r"no kind (?P<found>'.*?')(?:; .+)?", "没有消息种类 {found}"),
    (r"answered (?P<status>\d+)", "响应 {status}"),
    (r"answered (?P<status>\d+); redirects are not followed", "响应 {status}；不跟随重定向"),
    (r"no answer in time", "未及时响应"),
    (r"the webhook is disabled", "接收地址已停用"),
    (r"failed inside the server", "服务器内部出错"),
    (r"could not be delivered: the host has no address on the public internet.*",
     "无法投递：找不到该主机在公网上的地址"),
    (r"could not be delivered: .*[Cc]onnection refused.*", "无法投递：连接被拒绝"),
    (r"could not be delivered: .*(?:CERTIFICATE|certificate).*", "无法投递：对方的证书不可信"),
    (r"could not be delivered: (?P<why>.+)", "无法投递：{why}"),
    # Pictures, tries, feedback
    (r"expected a picture, found none; .+", "没有图片，请选择一张或拖入"),
    (r"expected a form of at most (?P<most>\d+) bytes", "文件过大，至多 {most} 字节；请换一张小一些的图片"),
    (r"expected a form of this page; .+", "表单不属于此页面，请重新加载后再试"),
    (r"the form cannot be taken apart; .+", "表单不完整，请重新加载页面后再试"),
    (r"expected a picture \((?P<known>.+)\), found no bytes at all", "文件为空；请选择图片（{known}）"),
    (r"expected a picture \((?P<known>.+)\), found one with a damaged.*", "图片已损坏；请换一张（{known}）"),
    (r"expected a picture \((?P<known>.+)\), found one that ends early.*", "图片不完整或已损坏；请换一张（{known}）"),
    (r"expected a picture \((?P<known>.+)\), found .+", "这不是图片；请选择 {known} 格式的图片"),
    (r"expected a picture of at most (?P<most>[\d,]+) pixels, .+", "图片过大，至多 {most} 像素；请先缩小"),
    (r"your (?P<most>\d+) tries are used up; .+", "您的 {most} 次试用已用完；如需继续，请索取密钥"),
    (r"the (?P<most>\d+) tries of a day from your network are used up", "您所在网络今天的 {most} 次试用已用完"),
    (r"(?P<most>\d+) tries of today from your network could not be used, .+",
     "您所在网络今天已有 {most} 次提交无法使用，暂不再接受，请明天再来"),
    (r"all (?P<most>\d+) tries of today are used up; .+", "今天的 {most} 次试用已全部用完，请明天再来"),
    (r"this cannot be kept", "无法保存"),
    (r"expected a word or an e-mail address, found neither", "请填写留言或邮箱"),
    (r"expected an e-mail address like (?P<like>\S+)", "邮箱格式应如 {like}"),
    (r"an e-mail address is kept only where you agree to it", "保存邮箱须先勾选同意"),
    (r"expected a comment of at most (?P<most>\d+) characters, found (?P<found>\d+)",
     "留言至多 {most} 个字符；现有 {found} 个"),
    (r"expected text without control characters", "不能含控制字符"),
    (r"expected the prediction by its name, prd_\.\.\.; load the page again and repeat",
     "预测编号应以 prd_ 开头；请刷新页面后重试"),
    (r"expected the form sooner; send it again over a faster connection", "表单发送过慢；请换更快的网络后重试"),
    (r"this feedback cannot be kept", "该反馈无法保存"),
    (r"expected 'truth' \(the right label\) or 'thumbs' .+", "请选择正确答案，或评价好坏"),
    (r"expected 'truth' as one of (?P<known>.+); found (?P<found>.+)", "正确答案应为：{known}；现在是 {found}"),
    (r"no prediction of yours is called (?P<found>'.*?'); .+", "您没有编号为 {found} 的预测"),
    # What a plan refuses
    (r"your (?P<days>\d+) days on plan (?P<plan>'.*?') are over.*", "套餐 {plan} 的 {days} 天已用完，请选择其他套餐"),
    (r"plan (?P<plan>'.*?') allows (?P<most>\d+) calls a minute; try again in (?P<seconds>\d+) s",
     "套餐 {plan} 每分钟至多 {most} 次调用，请在 {seconds} 秒后再试"),
    (r"plan (?P<plan>'.*?') has (?P<most>\d+) free calls; all are used.*", "套餐 {plan} 的 {most} 次免费调用已用完"),
    (r"plan (?P<plan>'.*?') has (?P<most>\d+) calls this month; all are used.*",
     "套餐 {plan} 本月的 {most} 次调用已用完"),
    (r"the prepaid credit on plan (?P<plan>'.*?') covers (?P<left>\d+) more calls, .+",
     "套餐 {plan} 的预付余额只够 {left} 次调用，请先充值"),
    # Signing in
    (r"too many wrong sign-ins; try again in (?P<seconds>\d+) s", "登录失败次数过多，请在 {seconds} 秒后再试"),
    (r"expected a form of this session; .+", "表单不属于本次会话，请重新加载页面后再试"),
    # Memos of the ledger
    (r"invoice (?P<number>\d+)", "账单 {number}"),
    (r"credit note (?P<number>\d+)", "贷记单 {number}"),
    (r"invoice (?P<number>\d+): void", "账单 {number} 作废"),
    (r"payment of invoice (?P<number>\d+)", "账单 {number} 收款"),
    (r"payment", "收款"),
    (r"refund", "退款"),
    (r"credit granted: purchase", "授予余额：购买"),
    (r"credit granted: promotion", "授予余额：赠送"),
    (r"credit granted: service_credit", "授予余额：服务补偿"),
    (r"credit granted: credit_note", "授予余额：贷记单"),
    (r"credit ran out", "余额到期"),
    (r"pay-out (?P<month>\d{4}-\d{2})", "{month} 结算单付款"),
    (r"statement (?P<month>\d{4}-\d{2})", "{month} 结算单"),
)  # fmt: skip
_FORMS = {"zh": tuple((re.compile(form, re.DOTALL), said) for form, said in _ZH + told_market.ZH + told_errors.ZH)}
#: Longer texts are nobody's sentence, and are not looked at.
_LONGEST = 2000


def told(text: str, language: str) -> str:
    """``text`` in ``language`` where its form is known, else as it is."""
    if len(text) > _LONGEST:
        return text
    for form, said in _FORMS.get(language, ()):
        match = form.fullmatch(text)
        if match is not None:
            values = match.groupdict()
            if "field" in values:
                name = values["field"]
                values["field"] = FIELDS.get(name) or told_market.FIELDS.get(name, name)
            return said.format(**values)
    return text
