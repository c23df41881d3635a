"""Laws of invoices: they add up, they book to zero, they are the same after any journey through JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from modelmint.commerce.billing.periods import by_month, draft_invoice, fee_due, total_of
from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.catalog import plans_from, version_of
from modelmint.commerce.documents.invoice_json import canonical, from_json, to_json
from modelmint.commerce.documents.invoice_text import LANGUAGES, render
from modelmint.commerce.documents.plan_json import from_json as plan_from_json
from modelmint.commerce.documents.plan_json import to_json as plan_to_json
from modelmint.commerce.ledger.postings import balances, check_balanced, postings
from modelmint.commerce.metering.types import MeterTotals
from modelmint.commerce.types import Customer, Subscription
from modelmint.kit.period import Period, month_of
from modelmint.venture.sections.plans import PlanSection

START = datetime(2026, 11, 1, tzinfo=UTC)
MONTH = month_of(START)
moments = st.integers(0, 3 * 30 * 86400).map(lambda seconds: START + timedelta(seconds=seconds))
amounts = st.decimals(0, 9, places=4).map(lambda amount: f"{amount:f} USD")


@st.composite
def sections(draw: st.DrawFn) -> PlanSection:
    shape = draw(st.sampled_from(["per_call", "monthly", "tiers"]))
    if shape == "per_call":
        table = {"per_call": draw(amounts)}
    elif shape == "monthly":
        table = {"monthly": "49 USD", "included_calls": draw(st.integers(0, 300)), "overage": draw(amounts)}
    else:
        ends = sorted(draw(st.sets(st.integers(1, 300), max_size=3)))
        tiers = [{"up_to": end, "price": draw(amounts)} for end in ends] + [{"price": draw(amounts)}]
        table = {"monthly": "5 USD", "charges": [{"meter": "calls", "tiers": tiers}]}
    return PlanSection.model_validate(table)


@st.composite
def invoices(draw: st.DrawFn) -> Invoice | None:
    (plan,) = plans_from({"p": draw(sections())})
    name = draw(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20))
    held = Subscription("sub", "cus", "p", plan.version, START - timedelta(days=draw(st.integers(0, 40))), None)
    counted = [
        MeterTotals("sub", month, {"calls": draw(st.integers(0, 400))}, {"calls": draw(st.integers(0, 400))})
        for month in draw(st.sets(st.sampled_from([START, datetime(2026, 10, 1, tzinfo=UTC)])))
    ]
    drafted = draft_invoice(
        Customer("cus", name, "", START), held, plan, MONTH, counted, notice="not for clinical use", now=MONTH.end
    )
    return None if drafted is None else replace(drafted, id="inv", number=draw(st.integers(1, 999)))


@given(invoices())
def test_the_lines_sum_to_the_invoice(invoice: Invoice | None) -> None:
    if invoice is not None:
        assert invoice.total == total_of(invoice.lines, "USD")
        assert invoice.total.minor == sum(line.amount.minor for line in invoice.lines)


@given(invoices())
def test_an_invoice_books_to_zero_and_the_customer_owes_it(invoice: Invoice | None) -> None:
    if invoice is None:
        return
    entries = postings(invoice)
    check_balanced(entries)
    assert sum(entry.amount.minor for entry in entries) == 0
    owed = balances(entries).get(("receivable:cus", "USD"))
    assert (owed.minor if owed else 0) == invoice.total.minor


@given(invoices())
def test_an_invoice_comes_back_from_json_to_the_same_bytes(invoice: Invoice | None) -> None:
    if invoice is not None:
        again = from_json(json.loads(json.dumps(to_json(invoice))))
        assert again == invoice
        assert canonical(again) == canonical(invoice) == canonical(from_json(json.loads(canonical(invoice))))


@given(invoices())
def test_an_invoice_shows_its_total_its_number_and_its_notice_in_every_language(invoice: Invoice | None) -> None:
    if invoice is not None:
        for language in LANGUAGES:
            text = render(invoice, language)
            assert str(invoice.total) in text
            assert str(invoice.number) in text.splitlines()[0]
            assert text.rstrip().endswith("not for clinical use")
            assert text.count(" = ") >= sum(line.meter is not None for line in invoice.lines)


@given(sections())
def test_a_plan_comes_back_from_json_and_its_version_is_its_terms(section: PlanSection) -> None:
    (plan,) = plans_from({"p": section})
    assert plan_from_json(json.loads(json.dumps(plan_to_json(plan)))) == plan
    assert version_of(plan) == plan.version
    assert version_of(replace(plan, max_calls=123_456)) != plan.version


@given(moments, moments)
def test_the_months_of_a_period_cover_it_without_gap_or_overlap(one: datetime, other: datetime) -> None:
    if one == other:
        return
    period = Period(min(one, other), max(one, other))
    parts = list(by_month(period))
    assert (parts[0].start, parts[-1].end) == (period.start, period.end)
    assert all(before.end == after.start for before, after in pairwise(parts))
    assert all(month_of(part.start).end >= part.end for part in parts)


@given(moments, st.none() | moments, st.lists(moments, max_size=6))
def test_the_fee_is_due_once_in_every_month_held_however_it_is_cut(
    start: datetime, end: datetime | None, cuts: list[datetime]
) -> None:
    if end is not None:
        start, end = min(start, end), max(start, end)
    held = Subscription("sub", "cus", "p", "v", start, end)
    edges = sorted({START, *cuts, START + timedelta(days=92)})
    parts = [part for a, b in pairwise(edges) for part in by_month(Period(a, b))]
    due = [month_of(part.start).start for part in parts if fee_due(held, part)]
    months = {month.start for month in by_month(Period(START, START + timedelta(days=92)))}
    wanted = {m for m in months if start < month_of(m).end and (end is None or end > max(start, m))}
    assert sorted(due) == sorted(wanted)
