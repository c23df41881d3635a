"""The only maker of invoices: inputs and plan in, invoice out. Pure, so that replay makes the same bytes."""

from __future__ import annotations

from modelmint.commerce.billing.steps import STEPS
from modelmint.commerce.billing.types import BillingInputs, Invoice
from modelmint.commerce.billing.work import Work
from modelmint.commerce.types import Plan
from modelmint.kit.money import Money


def build(inputs: BillingInputs, plan: Plan) -> Invoice | None:
    """The invoice, without the customer's name; None where the plan has no price or there is nothing to say.

    Where more is given back than charged, ``total`` is negative and nothing is due: ``credit`` is ``total``, and the
    books turn it into a grant.
    """
    if plan.currency is None:
        return None
    work = Work(inputs, plan, plan.currency)
    for step in STEPS:
        work = step(work)
    if not work.lines:
        return None
    burnt = sum(amount.minor for _, amount in work.burns)
    due = Money(max(work.total.minor - burnt, 0), plan.currency)
    return Invoice(
        id=inputs.id,
        number=inputs.number,
        customer=inputs.customer,
        customer_name="",
        period=inputs.part,
        currency=plan.currency,
        lines=work.lines,
        subtotal=work.subtotal,
        tax=work.total - work.subtotal,
        total=work.total,
        burns=work.burns,
        credit=work.total - due,
        due=due,
        tax_rate=inputs.tax_rate,
        tax_name=inputs.tax_name,
        subscription=inputs.subscription,
        plan=plan.name,
        plan_version=plan.version,
        notice=inputs.notice,
        finalised_at=inputs.finalised_at,
        releases=inputs.releases,
    )
