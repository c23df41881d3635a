"""Plans, invoices, credit, the ledger."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "invoice.title": "账单 {number}",
    "invoice.draft": "尚未出账",
    "invoice.draft_lead": "若现在出账，{start} 至 {end} 的账单内容如下。",
    "invoice.close_now": "立即出账至此刻",
    "invoice.none": "还没有账单。",
    "invoice.item": "项目",
    "invoice.quantity": "数量",
    "invoice.price": "单价",
    "invoice.amount": "金额",
    "invoice.subtotal": "小计",
    "invoice.tax": "税 {rate}",
    "invoice.total": "合计",
    "invoice.credit": "抵扣预付额度",
    "invoice.due": "应付",
    "invoice.number": "编号",
    "invoice.customer": "客户",
    "invoice.period": "账期",
    "invoice.plan": "套餐",
    "invoice.finalised": "定稿",
    "said.closed": "已出账至此刻。",
    "state.draft": "草稿",
}
