"""Refusals and failures that a page can show, said in Chinese, known by their form.

``tests/console/test_told.py`` reads the errors out of the packages behind the pages and fails on one that is not here.
"""

from __future__ import annotations

_ID = r"(?P<id>.+?)"
ZH: tuple[tuple[str, str], ...] = (
    # Pages and forms
    (r"expected a form", "只接受本页面的表单"),
    (r"a form from another site", "表单来自其他网站，未予受理"),
    (r"expected fewer fields in the form", "表单字段过多"),
    (r"this page is for others", "您无权查看此页面"),
    (r"there is no such page", "没有这个页面"),
    (r"there is no such picture", "没有这张图片"),
    (r"no invoice (?P<id>\S+)", "没有账单 {id}"),
    (r"no key (?P<id>\S+)", "没有密钥 {id}"),
    (r"expected when as one of (?P<known>.+), found (?P<found>.+)", "生效时间应为以下之一：{known}；现在是 {found}"),
    (r"expected 'after' as the 'next' of a former page, found (?P<found>.+)", "列表位置 {found} 无效，请从第一页开始"),
    # A call that is not answered
    (r"(?:inputs\[\d+\]: )?expected a picture, found no bytes; .+", "文件为空；请选择一张图片"),
    (
        r"(?P<waiting>\d+) calls wait for explanations, .+",
        "已有 {waiting} 次调用在等待生成热力图，请稍后再试，或不要求热力图",
    ),
    (r"(?P<waiting>\d+) calls wait for the engine, .+", "已有 {waiting} 次调用在排队，请稍后再试"),
    (
        r"no model called (?P<name>'.*?') is served here.* Served: (?P<known>.+)",
        "没有名为 {name} 的模型在提供服务；现有：{known}",
    ),
    (r"the host is closed", "服务正在停止，请稍后再试"),
    (r"the server is stopping; .+", "服务正在停止，请稍后再试"),
    (r"the server stopped before this call ran; .+", "服务在处理之前已停止，请重试"),
    (r"the model failed on this input; .+", "模型无法处理这张图片，本次不计费；不影响其他图片"),
    (
        r"the model has not answered within (?P<most>\d+) s; .+",
        "模型在 {most} 秒内未作答；请重新提交同一表单，仍只计一次",
    ),
    (r"the model could not answer this call", "模型未能回答本次调用"),
    (r"the call failed inside the server; .+", "服务器内部出错，本次不计费"),
    (r"your plan (?P<plan>'.*?') is paused; .+", "您的套餐 {plan} 已暂停，恢复后才能继续调用"),
    (
        r"plan (?P<plan>'.*?') allows (?P<most>\d+) calls a minute, this one request counts (?P<found>\d+); .+",
        "套餐 {plan} 每分钟至多 {most} 次调用，而这一请求计为 {found} 次",
    ),
    (r"the first call with idempotency key .+ is under way; .+", "同一次提交正在处理，请稍候"),
    (r"idempotency key .+ came before with another request; .+", "这份表单已用于另一次提交，请重新加载页面"),
    (r"reservation .+ was open for too long and was released; .+", "调用用时过长，已取消，不计费"),
    # Customers, keys, billing details
    (
        r"no customer has the id or name (?P<found>'.*?'); did you mean (?P<close>'.*?')\?",
        "没有标识或名称为 {found} 的客户；是否指 {close}？",
    ),
    (r"no customer has the id or name (?P<found>.+)", "没有标识或名称为 {found} 的客户"),
    (
        r"more than one partner's customer is called (?P<found>'.*?'); give the id: (?P<known>.+)",
        "有多位合作方的客户名为 {found}，请改用标识：{known}",
    ),
    (rf"the customer {_ID} was erased; .+", "客户 {id} 的数据已删除，不能再开始新业务；请新建客户"),
    (r"(?P<most>\d+) keys that work are the most .+", "每位客户至多有 {most} 个有效密钥，请先吊销一个"),
    (rf"the key {_ID} is replaced by (?P<other>.+) already; .+", "密钥 {id} 已由 {other} 接替，请轮换后者"),
    (rf"the key {_ID} was revoked, so it cannot be rotated; .+", "密钥 {id} 已吊销，无法轮换；请新建一个"),
    (rf"the key {_ID} has expired, so it cannot be rotated; .+", "密钥 {id} 已到期，无法轮换；请新建一个"),
    (rf"the key {_ID} .+, so it cannot be rotated; .+", "密钥 {id} 已失效，无法轮换；请新建一个"),
    (r"no key has the id (?P<found>.+); list them with .+", "没有标识为 {found} 的密钥"),
    (
        r"expected an overlap of 0 to (?P<most>\d+) days, found (?P<found>.+)",
        "旧密钥至多继续有效 {most} 天；填入的是 {found}",
    ),
    (r"this cannot be .+; choose another", "该名称不可用，请换一个"),
    (
        r"expected (?P<what>.+) on one line of at most (?P<most>\d+) characters without control characters",
        "只能填写一行，至多 {most} 个字符，不含控制字符",
    ),
    (r"expected a tax rate like .+, found (?P<found>.+)", "税率应如 19 %；填入的是 {found}"),
    (
        rf"{_ID} was billed or used something already; its billing periods begin on day (?P<day>\d+) for good",
        "该客户已有用量或账单，账期起始日固定为每月 {day} 日",
    ),
    (r"expected a language of (?P<known>.+), found (?P<found>.+)", "语言应为：{known}；填入的是 {found}"),
    (r"expected an address of at most (?P<most>\d+) characters, .+", "地址至多 {most} 个字符，可分行"),
    (r"expected a note on one line of at most (?P<most>\d+) characters", "备注只能填写一行，至多 {most} 个字符"),
    (
        r"expected (?P<field>\w+) on one line of at most (?P<most>\d+) characters",
        "“{field}”只能填写一行，至多 {most} 个字符",
    ),
    (
        r"expected a priority from 0 .+ to (?P<most>\d+), found (?P<found>.+)",
        "优先级应为 0（最先使用）至 {most}；填入的是 {found}",
    ),
    (r"expected a source of (?P<known>.+), found (?P<found>.+)", "来源应为：{known}；填入的是 {found}"),
    (
        r"expected credit to run out at the beginning of a day \(UTC\), like (?P<like>\S+), found (?P<found>.+)",
        "余额须在某日零点（UTC）到期，如 {like}；填入的是 {found}",
    ),
    (r"the scope (?P<scope>'.*?') is not the caller's to give; .+", "您无权授予权限 {scope}"),
    # Plans and periods
    (
        r"expected a moment with a time zone like (?P<like>\S+), found (?P<found>.+)",
        "应为带时区的时间，如 {like}；填入的是 {found}",
    ),
    (r".+ Plans on sale: (?P<known>.+)", "没有这个套餐或版本。在售套餐：{known}"),
    (
        r"expected 'now', 'period_end' or a moment from (?P<first>\S+) on, with its time zone; found (?P<found>.+)",
        "生效时间不得早于 {first}；填入的是 {found}",
    ),
    (r"expected a moment until (?P<last>\S+), found (?P<found>.+)", "时间不得晚于 {last}；填入的是 {found}"),
    (rf"{_ID} holds no plan at (?P<at>\S+); .+", "该客户在 {at} 未订阅任何套餐"),
    (
        r"(?P<most>\d+) changes of plan in one billing period, .+",
        "一个账期内至多更改套餐 {most} 次，请在下一账期再改，或联系卖方",
    ),
    (
        r"this period ends at (?P<end>\S+), it is (?P<now>\S+); .+",
        "本账期到 {end} 才结束（现在是 {now}）；请等待，或选择出账至今",
    ),
    (
        r"this period begins at (?P<begin>\S+), it is (?P<now>\S+); .+",
        "本账期从 {begin} 才开始（现在是 {now}），尚不能出账",
    ),
    (
        r"periods are closed in order; (?P<open>.+) still holds something to bill\. .+",
        "账期须依次出账；{open} 尚有未出账内容，请先出账",
    ),
    (
        r"expected the billing period's sum of (?P<meter>'.*?') to stay below (?P<most>\S+) .+",
        "计量项 {meter} 在本账期的总量须小于 {most}；请核对数量",
    ),
    # Invoices and payments
    (r"no invoice has the id or number (?P<found>.+); see .+", "没有标识或编号为 {found} 的账单"),
    (rf"{_ID} is a credit note; it cannot .+", "{id} 是贷记单，不能这样处理"),
    (rf"invoice {_ID} is paid; it cannot .+", "账单 {id} 已付清，不能这样处理"),
    (rf"invoice {_ID} is void; it cannot .+", "账单 {id} 已作废，不能这样处理"),
    (rf"invoice {_ID} is uncollectible; it cannot .+", "账单 {id} 已列为无法收回，不能这样处理"),
    (rf"invoice {_ID} is (?P<state>\S+); it cannot .+", "账单 {id} 的状态（{state}）不允许这样处理"),
    (r"give lines or an amount, not both", "请填写行号或金额，不能两者都填"),
    (r"expected an amount in (?P<currency>\S+), found (?P<found>.+)", "金额应以 {currency} 计；填入的是 {found}"),
    (r"a line is named twice", "同一行填写了两次"),
    (r"expected lines from 1 to (?P<most>\d+), found (?P<found>.+)", "行号应为 1 至 {most}；填入的是 {found}"),
    (r"line (?P<line>\d+) was corrected before", "第 {line} 行已更正过"),
    (rf"nothing is due on invoice {_ID}: .+", "账单 {id} 没有应付金额"),
    (rf"a payment of this invoice is under way \({_ID}\); .+", "该账单有一笔付款正在进行（{id}），请等待结果"),
    (r"it was refused; it is asked for again at (?P<at>.+) UTC", "付款被拒绝，将于 {at} UTC 再次扣款"),
    # Partners and referrals
    (r"no partner has the id or name (?P<found>.+); list them with .+", "没有标识或名称为 {found} 的合作方"),
    (rf"{_ID} is a partner already, or is a partner's customer", "该客户已是合作方，或是某合作方的客户"),
    (
        r"expected a code of 3 to 40 letters, .+, found (?P<found>.+)",
        "推荐码应为 3 至 40 个字母、数字、“-”或“_”；填入的是 {found}",
    ),
    (
        r"expected a channel like 'newsletter' .+, found (?P<found>.+)",
        "渠道名应如 newsletter（a-z、0-9、“-”、“_”）；填入的是 {found}",
    ),
    (r"the code (?P<found>.+) was given out before; .+", "推荐码 {found} 已经用过，请换一个"),
    (r"no referral code (?P<found>.+) was ever given out", "没有发出过推荐码 {found}"),
    (r"these are no terms for a partner", "合作条件有误"),
    (r"expected terms (?P<known>.+), found (?P<found>.+)", "条件应为 {known}；填入的是 {found}"),
    (r"expected a rate like .+, found (?P<found>.+)", "比例应如 20 %；填入的是 {found}"),
    (
        r"expected a rate from 0 to 100 % .+, found (?P<found>.+)",
        "比例须在 0 至 100 % 之间，至多 4 位小数；填入的是 {found}",
    ),
    (r"a partner's statement covers a calendar month, .+", "合作方结算单按自然月（UTC），如 2026-11"),
    (
        r"(?P<month>\d{4}-\d{2}|\d+) ends at (?P<end>\S+); close its statement after that",
        "{month} 到 {end} 才结束，之后才能结算",
    ),
    (r"this cannot be paid out so", "无法这样付款"),
    (
        r"expected a reference of at most (?P<most>\d+) characters on one line",
        "付款凭据只能填写一行，至多 {most} 个字符",
    ),
    (r"the partner earned nothing in (?P<month>.+?); .+", "合作方在 {month} 没有收入，无需付款"),
    (r"nothing of this statement is owed .+", "该结算单没有尚未付给合作方的金额"),
    (r"the statement of (?P<month>.+) can still change; .+", "{month} 的结算单还会变动，请先结算"),
    (
        r"(?P<most>.+) of the statement of (?P<month>\S+) are owed and not paid out yet; (?P<found>.+) is more .+",
        "{month} 的结算单尚欠 {most}，而 {found} 超过此数",
    ),
    (
        r"(?P<paid>.+) was paid out under the reference (?P<reference>.+) before; (?P<found>.+) needs another one",
        "凭据 {reference} 已用于付款 {paid}；{found} 须用另一个凭据",
    ),
    # Webhooks
    (r"no webhook has the id (?P<found>.+); list them with .+", "没有标识为 {found} 的接收地址"),
    (rf"the webhook {_ID} is disabled; .+", "接收地址 {id} 已停用，请重新添加"),
    (r"expected a host on the public internet, found (?P<found>.+)", "接收地址须在公网上；填入的是 {found}"),
    (r"(?P<most>\d+) webhooks are the most that one may have; .+", "至多有 {most} 个接收地址，请先删除一个"),
    (r"the message (?P<found>'.*?') is not kept any more: .+", "消息 {found} 已不再保存；其内容可通过 API 查询"),
    (r"no message has the id (?P<found>.+); .+", "没有标识为 {found} 的消息"),
    (
        r"expected at most (?P<most>\d+) plain ASCII characters without spaces",
        "地址至多 {most} 个 ASCII 字符，不含空格",
    ),
    (r"expected (?P<known>\S+|\S+ or \S+)://, found (?P<found>.+)", "地址应以 {known}:// 开头；现在是 {found}"),
    (r"expected no fragment \(#\.\.\.\); .+", "地址不能含 # 及其后的部分，它不会发送"),
    (r"expected a port from 1 to (?P<most>\d+), found 0", "端口应为 1 至 {most}，不能为 0"),
    # Feedback
    (
        r"this call had (?P<count>\d+) inputs: name one of (?P<first>.+) to (?P<last>.+)",
        "该次调用有 {count} 张图片，请指明 {first} 至 {last} 之一",
    ),
    (r"expected 'thumbs' as \"up\" or \"down\", found (?P<found>.+)", "评价应为“好”或“不好”；现在是 {found}"),
    (r"expected 'comment' as a text of at most (?P<most>\d+) characters .+", "留言至多 {most} 个字符，不含控制字符"),
    (
        r"expected 'truth' as a text of 1 to (?P<most>\d+) characters on one line",
        "正确答案应为一行，1 至 {most} 个字符",
    ),
    # The books and the printer
    (
        r"the books cannot be written(?: or read)? now: (?P<why>.+?)(?:\. Nothing was stored)?",
        "账簿暂时无法读写（{why}），未保存任何内容",
    ),
    (r"this file system cannot hold an SQLite write-ahead log; .+", "此文件系统不适合存放 SQLite 账簿，请放到本地磁盘"),
    (r"a text with a NUL character cannot be stored", "文字中含有无法保存的字符"),
    (r"the books are closed; nothing was stored", "账簿已关闭，未保存任何内容"),
    (r"the books were written, and .+", "账簿已写入，但未能确认；请刷新后核对，再决定是否重试"),
    (
        r"the database says: (?P<why>.+)\. Restore the books from a backup; .+",
        "数据库已损坏（{why}），请从备份恢复；未写入任何内容",
    ),
    (r"(?P<what>.+) needs the extra 'pdf', .+", "此服务器未安装 PDF 组件，无法生成 PDF；可改为保存 HTML"),
    (r".+ took more than (?P<most>\d+) s to print; .+", "打印超过 {most} 秒，已中止；请在命令行打印"),
    (r".+ could not be printed: (?P<why>.+)", "无法打印：{why}"),
    (
        r"(?P<waiting>\d+) documents wait to be printed already; .+",
        "已有 {waiting} 份文件等待打印，请几秒后再试，或改用 HTML",
    ),
)
