"""Credit notes: what is taken back of a finalised invoice. Pure.

Lines are corrected whole, or an amount of the whole invoice is; tax goes back with it. All credit notes of an
invoice together never come to more than it. What of it is unpaid is owed no longer, the rest becomes prepaid credit.

The lines have the kind ``correction``; keys of their ``data``: ``corrects`` (number of the invoice), ``line``
(position of the corrected line, from 1; None for an amount), ``of`` (its description), ``reason``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from modelmint.commerce.billing.errors import BadCorrection
from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.billing.work import total_of
from modelmint.commerce.rating.types import InvoiceLine
from modelmint.kit.money import Money, round_money

KIND = "correction"


def credit_note(
    invoice: Invoice,
    earlier: Sequence[Invoice],
    reason: str,
    owed: Money,
    at: datetime,
    *,
    lines: Sequence[int] = (),
    amount: Money | None = None,
) -> Invoice:
    """Over ``lines`` (positions from 1), over ``amount`` before tax, or over all that is left; not numbered yet.

    ``earlier`` are the invoice's credit notes so far, ``owed`` is what is unpaid of it. Raises ``BadCorrection``
    with every problem.
    """
    found = _lines(invoice, earlier, reason, lines, amount)
    before = sum(-note.subtotal.minor for note in earlier)
    subtotal = total_of(found, invoice.currency)
    # The running total is taxed and rounded, as everywhere: taking all back takes all tax back.
    taxed = round_money(Money(before - subtotal.minor, invoice.currency).amount * invoice.tax_rate, invoice.currency)
    tax_before = sum(-note.tax.minor for note in earlier)
    tax = Money(tax_before - taxed.minor, invoice.currency)
    total = subtotal + tax
    due = Money(max(total.minor, -owed.minor), invoice.currency)
    return replace(
        invoice,
        id="",
        number=0,
        customer_name="",
        lines=tuple(found),
        subtotal=subtotal,
        tax=tax,
        total=total,
        burns=(),
        credit=total - due,
        due=due,
        finalised_at=at,
        kind="credit_note",
        corrects=invoice.number,
        reason=reason,
    )


def _lines(
    invoice: Invoice, earlier: Sequence[Invoice], reason: str, positions: Sequence[int], amount: Money | None
) -> list[InvoiceLine]:
    left = invoice.subtotal.minor + sum(note.subtotal.minor for note in earlier)
    problems = _problems(invoice, earlier, positions, amount)
    if not problems and positions:
        wanted = sum(invoice.lines[position - 1].amount.minor for position in positions)
    else:
        wanted = left if amount is None else amount.minor
    if not problems and not 0 < wanted <= left:
        most = Money(left, invoice.currency)
        problems.append(f"expected an amount above zero and up to {most} (what is left of the invoice before tax), "
                        f"found {Money(wanted, invoice.currency)}")  # fmt: skip
    if not reason.strip() or len(reason) > 500:
        problems.append("expected a reason of 1 to 500 characters: it stands on the credit note")
    if problems:
        raise BadCorrection(f"no credit note can be made of invoice {invoice.number} so", problems=problems)
    if positions:
        return [_line(invoice, reason, position) for position in positions]
    return [_line(invoice, reason, None, Money(wanted, invoice.currency))]


def _problems(
    invoice: Invoice, earlier: Sequence[Invoice], positions: Sequence[int], amount: Money | None
) -> list[str]:
    problems = []
    if positions and amount is not None:
        problems.append("give lines or an amount, not both")
    if amount is not None and amount.currency != invoice.currency:
        problems.append(f"expected an amount in {invoice.currency}, found {amount}")
    done = {line.data.get("line") for note in earlier for line in note.lines}
    if len(set(positions)) != len(positions):
        problems.append("a line is named twice")
    for position in positions:
        if not 1 <= position <= len(invoice.lines):
            problems.append(f"expected lines from 1 to {len(invoice.lines)}, found {position}")
        elif position in done:
            problems.append(f"line {position} was corrected before")
    return problems


def _line(invoice: Invoice, reason: str, position: int | None, amount: Money | None = None) -> InvoiceLine:
    corrected = None if position is None else invoice.lines[position - 1]
    of = "" if corrected is None else corrected.description
    taken = amount if corrected is None else corrected.amount
    assert taken is not None  # noqa: S101  # an amount or a line, as the caller checked
    what = f"line {position} ({of})" if corrected is not None else f"{taken}"
    return InvoiceLine(
        description=f"Correction of invoice {invoice.number}" + (f": {of}" if of else ""),
        meter=None,
        quantity=1,
        unit_price=None,
        amount=-taken,
        explanation=f"taken back of invoice {invoice.number}: {what}; {reason}",
        kind=KIND,
        data={"corrects": invoice.number, "line": position, "of": of, "reason": reason},
    )
