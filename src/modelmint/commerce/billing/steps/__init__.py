"""How an invoice is made, in this order; one small pure file each.

1. ``fees``: what the plan costs for being held: monthly in arrears, yearly in advance.
2. ``usage``: the charges, each by its price model; usage that came late stands after.
3. ``cap``: usage of a billing period costs at most so much.
4. ``minimum``: a billing period comes to at least so much; what is missing is added when it ends.
5. ``service_credit``: given back where a promise was not kept.
6. ``tax``: on the sum of the lines, rounded once.
7. ``credit``: prepaid credit pays; what is left is due.

For every cut of a billing period into parts the lines of steps 1 to 5 sum to those of the period billed at once:
each step rounds its running total of the period and takes off what earlier parts hold. Tax is rounded once for
each invoice, so the tax of n parts lies within n halves of a minor unit of the exact tax.
"""

from modelmint.commerce.billing.steps import cap, credit, fees, minimum, service_credit, tax, usage, yearly
from modelmint.commerce.billing.work import Step

STEPS: tuple[Step, ...] = (
    fees.step,
    yearly.step,
    usage.step,
    cap.step,
    minimum.step,
    service_credit.step,
    tax.step,
    credit.step,
)
