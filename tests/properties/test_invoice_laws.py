"""Laws of invoices: they add up, parts sum to the whole, credit burns in order, replay makes the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from modelmint.commerce.billing import inputs_json
from modelmint.commerce.billing.draft import build
from modelmint.commerce.billing.periods import parts
from modelmint.commerce.billing.prorate import held_share, merged, prorate
from modelmint.commerce.billing.types import GrantBalance, Held, Invoice, Kept
from modelmint.commerce.billing.work import total_of
from modelmint.commerce.catalog import version_of
from modelmint.commerce.documents.invoice_json import canonical, from_json, to_json
from modelmint.commerce.documents.plan_json import from_json as plan_from_json
from modelmint.commerce.documents.plan_json import to_json as plan_to_json
from modelmint.commerce.ledger.postings import balances, check_balanced, postings
from modelmint.commerce.metering.types import Quantities
from modelmint.commerce.rating.share import Share
from modelmint.commerce.types import Plan
from modelmint.kit.money import Money
from modelmint.kit.period import Period, billing_period
from modelmint.testing.billing import NOVEMBER, Case, a_cell, a_plan, in_parts

CURRENCIES = ["USD", "CNY", "JPY", "KWD"]
PARTS = 5
quantities = st.integers(0, 300)
moments = st.integers(0, 30 * 86_400_000_000 - 1).map(lambda us: NOVEMBER.start + timedelta(microseconds=us))
prices = st.decimals(0, 9, places=4)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Fees, one or two charges of any summable kind, commitments, a promise: whatever goes together."""
    currency = draw(st.sampled_from(CURRENCIES))
    price = lambda: f"{draw(prices):f} {currency}"  # noqa: E731  # one expression, used often
    whole = lambda top: f"{draw(st.integers(0, top))} {currency}"  # noqa: E731
    ends = sorted(draw(st.sets(st.integers(1, 400), max_size=2)))
    graduated = {"tiers": [*({"up_to": end, "price": price()} for end in ends), {"price": price()}]}
    package = {"package": draw(st.integers(1, 90)), "price": price(), "included": draw(st.integers(0, 90))}
    share = {"percent": "2.5 %"}
    charges = [
        {"meter": meter, **draw(st.sampled_from([graduated, package, share]))}
        for meter in draw(st.sampled_from([["scans"], ["scans", "slides"]]))
    ]
    table: dict[str, object] = {"currency": currency, "charges": charges}
    for key, top in (("monthly", 99), ("yearly", 999), ("minimum", 40)):
        if draw(st.booleans()):
            table[key] = whole(top)
    if draw(st.booleans()):
        table["cap"] = f"{40 + draw(st.integers(0, 300))} {currency}"
    if draw(st.booleans()):
        table["prorate_included"] = draw(st.booleans())
    if draw(st.booleans()):
        table["promise"] = {"p99_ms": 100, "credit": "12.5 %"}
    return a_plan(**table)


@st.composite
def holdings(draw: st.DrawFn) -> tuple[Held, ...]:
    edges = sorted(draw(st.sets(moments, min_size=1, max_size=5)))
    begun = NOVEMBER.start - timedelta(days=draw(st.integers(0, 800)))
    edges = [begun, *edges] if draw(st.booleans()) else edges
    spans = [Held(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]
    return tuple(spans if len(edges) % 2 == 0 else [*spans, Held(edges[-1], None)])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any plan, held in any spans, with usage of its meters in the period."""
    plan = draw(plans())
    assert plan.currency is not None
    cells = tuple(a_cell(charge.meter, 0) for charge in plan.charges)
    cells = tuple(replace(cell, new=draw(amounts()), before=draw(amounts())) for cell in cells)
    grants = tuple(
        GrantBalance(
            id=f"g{i}",
            left=Money(draw(st.integers(1, 5000)), plan.currency),
            priority=draw(st.integers(0, 2)),
            expires_at=draw(st.none() | st.integers(-2, 90).map(lambda d: NOVEMBER.end + timedelta(days=d))),
            granted_at=NOVEMBER.start - timedelta(days=draw(st.integers(0, 3))),
        )
        for i in range(draw(st.integers(0, 4)))
    )
    kept = draw(st.sampled_from([None, Kept(10, 0, Decimal(99)), Kept(10, 3, Decimal("100.001"))]))
    rate = draw(st.sampled_from([Decimal(0), Decimal("0.19"), Decimal("0.0825")]))
    return Case(plan, cells, held=draw(holdings()), grants=grants, kept=kept, tax_rate=rate)


@st.composite
def amounts(draw: st.DrawFn) -> Quantities:
    n = draw(quantities)
    total = Decimal(draw(st.integers(0, 300_000_000))).scaleb(-6).normalize() if draw(st.booleans()) else Decimal(n)
    return Quantities(n, Decimal(f"{total:f}"), Decimal(n), draw(st.integers(0, 90_000)))


@given(cases())
def test_lines_sum_to_the_subtotal_tax_makes_the_total_and_credit_pays_it(case: Case) -> None:
    invoice = case.invoice()
    if invoice is None:
        return
    assert invoice.subtotal == total_of(invoice.lines, invoice.currency)
    assert invoice.subtotal + invoice.tax == invoice.total
    assert invoice.total - invoice.credit == invoice.due
    assert invoice.due.minor >= 0
    if invoice.total.minor >= 0:
        assert invoice.credit == Money(sum(burnt.minor for _, burnt in invoice.burns), invoice.currency)
    else:
        assert (invoice.credit, invoice.burns) == (invoice.total, ())


@given(cases())
def test_an_invoice_books_to_zero_and_the_customer_owes_what_is_due(case: Case) -> None:
    invoice = case.invoice()
    if invoice is None:
        return
    entries = postings(invoice)
    check_balanced(entries)
    found = balances(entries)
    assert found["receivable:cus_1", invoice.currency] == invoice.due
    assert found.get(("credit:cus_1", invoice.currency), Money(0, invoice.currency)) == invoice.credit


@given(cases(), st.data())
def test_a_period_billed_in_parts_equals_the_period_billed_once(case: Case, data: st.DataObject) -> None:
    shares = [{i: data.draw(amounts()) for i in range(len(case.cells))} for _ in range(PARTS)]
    added = [Quantities() for _ in case.cells]
    for share in shares:
        added = [_plus(old, share[i]) for i, old in enumerate(added)]
    whole = replace(
        case,
        cells=tuple(replace(cell, before=Quantities(), new=new) for cell, new in zip(case.cells, added, strict=True)),
    )
    cuts = sorted(data.draw(st.sets(moments.filter(lambda m: m > NOVEMBER.start), min_size=4, max_size=4)))
    once, often = whole.invoice(), in_parts(whole, cuts, shares)
    assert sum(one.subtotal.minor for one in often) == (0 if once is None else once.subtotal.minor)
    # Tax is rounded once for each invoice: within half a minor unit of the exact tax each.
    exact = Decimal(sum(one.subtotal.minor for one in often)) * case.tax_rate
    assert abs(sum(one.tax.minor for one in often) - exact) * 2 <= len(often)


@given(cases(), st.data())
def test_parts_billed_before_it_is_known_what_will_be_held_sum_to_the_period_billed_once(
    case: Case, data: st.DataObject
) -> None:
    """Every part takes it that what is held goes on; what is given up or taken up later counts anew what was billed."""
    spans = merged(case.held)

    def known(now: datetime) -> tuple[Held, ...]:
        begun = [span for span in spans if span.start < now]
        going_on = (Held(span.start, span.end if span.end is not None and span.end <= now else None) for span in begun)
        return tuple(going_on) or (Held(NOVEMBER.end, None),)

    shares = [{i: data.draw(amounts()) for i in range(len(case.cells))} for _ in range(PARTS)]
    added = [Quantities() for _ in case.cells]
    for share in shares:
        added = [_plus(old, share[i]) for i, old in enumerate(added)]
    once = replace(
        case,
        plan=replace(case.plan, yearly=None),
        cells=tuple(replace(cell, before=Quantities(), new=new) for cell, new in zip(case.cells, added, strict=True)),
    )
    edges = {span.start for span in spans} | {span.end for span in spans if span.end is not None}
    inside = [edge for edge in edges if NOVEMBER.start < edge < NOVEMBER.end]
    near = moments.filter(lambda m: m > NOVEMBER.start) | (st.sampled_from(inside) if inside else st.nothing())
    cuts = sorted(data.draw(st.sets(near, min_size=4, max_size=4)))
    often = in_parts(once, cuts, shares, known)
    whole = once.invoice()
    assert sum(one.subtotal.minor for one in often) == (0 if whole is None else whole.subtotal.minor)


@given(st.integers(0, 10**9), st.integers(1, 10**13), st.data())
def test_a_share_of_what_is_included_is_never_less_than_the_time_held_and_never_a_unit_more(
    units: int, whole: int, data: st.DataObject
) -> None:
    held = data.draw(st.integers(0, whole))
    share = Share(held, whole).of(units)
    assert units * held <= share * whole < units * held + whole
    assert Share(whole, whole).of(units) == units


def _plus(one: Quantities, other: Quantities) -> Quantities:
    return Quantities(one.n + other.n, one.sum + other.sum, max(one.largest, other.largest), one.amount + other.amount)


@given(cases(), amounts(), amounts())
def test_usage_that_comes_late_is_billed_as_if_it_had_come_in_time(
    case: Case, in_time: Quantities, late: Quantities
) -> None:
    """With caps and minimums; a service credit is a share of what was known when the period ended."""
    plan = replace(case.plan, yearly=None, promise=None)
    case = replace(case, plan=plan, cells=case.cells[:1], kept=None)
    (cell,) = case.cells
    whole = replace(case, cells=(replace(cell, before=Quantities(), new=_plus(in_time, late)),)).invoice()
    first = replace(case, cells=(replace(cell, before=Quantities(), new=in_time),)).invoice()
    december = billing_period(NOVEMBER.end)
    ended = tuple(Held(s.start, min(s.end or NOVEMBER.end, NOVEMBER.end)) for s in case.held)
    then = replace(case, part=december, held=ended, cells=(replace(cell, before=in_time, new=late),)).invoice()
    both = [0 if one is None else one.subtotal.minor for one in (first, then)]
    assert sum(both) == (0 if whole is None else whole.subtotal.minor)


@given(cases(), st.integers(1, 5000))
def test_late_usage_of_a_period_whose_minimum_was_forgiven_is_billed_as_without_one(case: Case, minor: int) -> None:
    assert case.plan.currency is not None
    plan = replace(case.plan, minimum=Money(minor, case.plan.currency))
    december = billing_period(NOVEMBER.end)
    part = Period(december.start, december.start + timedelta(days=3))
    inputs = replace(replace(case, plan=plan, part=part).inputs(), forgiven=(NOVEMBER.start,))
    free = replace(plan, minimum=None)
    assert build(inputs, plan) == build(inputs, free)
    assert inputs_json.from_json(json.loads(inputs_json.canonical(inputs))) == inputs


@given(cases())
def test_credit_burns_in_the_written_order_and_never_more_than_is_left(case: Case) -> None:
    invoice = case.invoice()
    if invoice is None:
        return
    far = datetime.max.replace(tzinfo=UTC)
    usable = [g for g in case.grants if g.expires_at is None or g.expires_at >= case.part.end]
    order = sorted(usable, key=lambda g: (g.priority, g.expires_at or far, g.granted_at, g.id))
    open_minor, wanted = max(invoice.total.minor, 0), []
    for grant in order:
        if open_minor:
            burnt = min(open_minor, grant.left.minor)
            wanted.append((grant.id, Money(burnt, invoice.currency)))
            open_minor -= burnt
    assert list(invoice.burns) == wanted
    assert invoice.due.minor == open_minor


@given(cases())
def test_inputs_come_back_from_json_and_build_the_same_bytes(case: Case) -> None:
    inputs = case.inputs()
    again = inputs_json.from_json(json.loads(inputs_json.canonical(inputs)))
    assert again == inputs
    assert inputs_json.canonical(again) == inputs_json.canonical(inputs)
    one, other = build(inputs, case.plan), build(again, plan_from_json(plan_to_json(case.plan)))
    assert one == other
    if one is not None and other is not None:
        assert canonical(one) == canonical(other)


@given(cases())
def test_an_invoice_comes_back_from_json_to_the_same_bytes(case: Case) -> None:
    invoice = case.invoice()
    if invoice is not None:
        again: Invoice = from_json(json.loads(json.dumps(to_json(invoice))))
        assert again == invoice
        assert canonical(again) == canonical(invoice) == canonical(from_json(json.loads(canonical(invoice))))


@given(plans())
def test_a_plan_comes_back_from_json_and_its_version_is_its_terms(plan: Plan) -> None:
    assert plan_from_json(json.loads(json.dumps(plan_to_json(plan)))) == plan
    assert version_of(plan) == plan.version
    assert version_of(replace(plan, max_calls=123_456)) != plan.version


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**9), st.data())
def test_splitting_money_never_loses_or_makes_a_minor_unit(minor: int, whole: int, data: st.DataObject) -> None:
    edges = sorted({0, whole, *data.draw(st.lists(st.integers(0, whole), max_size=8))})
    shares = [prorate(Money(minor, "KWD"), whole, a, b) for a, b in pairwise(edges)]
    assert sum(share.minor for share in shares) == minor
    assert all(share.minor * minor >= 0 for share in shares)


@given(holdings(), st.lists(moments, max_size=5), st.integers(1, 100_000))
def test_the_fee_of_a_period_is_that_of_its_parts_and_a_period_held_costs_it_whole(
    held: tuple[Held, ...], cuts: list[datetime], minor: int
) -> None:
    fee = Money(minor, "USD")
    edges = sorted({NOVEMBER.start, NOVEMBER.end, *cuts})
    shares = [held_share(fee, held, NOVEMBER, Period(a, b)).minor for a, b in pairwise(edges)]
    assert sum(shares) == held_share(fee, held, NOVEMBER, NOVEMBER).minor
    assert held_share(fee, (Held(NOVEMBER.start, None),), NOVEMBER, NOVEMBER) == fee


@given(cases(), moments)
def test_a_plan_held_for_no_time_costs_nothing(case: Case, at: datetime) -> None:
    assert replace(case, held=(Held(at, at),), cells=()).invoice() is None


@given(cases(), moments)
def test_leaving_a_plan_and_taking_it_again_at_the_same_moment_changes_nothing(case: Case, at: datetime) -> None:
    spans = tuple(
        piece
        for span in case.held
        for piece in (
            (Held(span.start, at), Held(at, span.end))
            if span.start < at and (span.end is None or at < span.end)
            else (span,)
        )
    )
    assert merged(spans) == merged(case.held)
    assert replace(case, held=spans).invoice() == case.invoice()


@given(cases(), cases(), moments, st.integers(1, 1_000_000))
def test_an_upgrade_and_back_within_a_second_costs_nothing_more(case: Case, other: Case, at: datetime, us: int) -> None:
    """With a minimum, a cap and fees on both plans. A yearly fee may come out a minor unit lower, never higher."""
    back = min(at + timedelta(microseconds=us), NOVEMBER.end - timedelta.resolution)
    stayed = replace(case, held=(Held(NOVEMBER.start, None),))
    went = replace(case, held=(Held(NOVEMBER.start, at), Held(back, None)))
    above = replace(other, held=(Held(at, back),), cells=(), kept=None)
    one, two, three = (
        0 if invoice is None else invoice.subtotal.minor for invoice in map(Case.invoice, (stayed, went, above))
    )
    assert three == 0
    assert two == one if case.plan.yearly is None else one - 1 <= two <= one


@given(st.integers(1, 31), moments, st.integers(1, 100 * 86_400), st.lists(moments, max_size=4))
def test_the_parts_of_a_window_cover_it_and_lie_in_one_billing_period_each(
    anchor: int, start: datetime, seconds: int, cuts: list[datetime]
) -> None:
    window = Period(start, start + timedelta(seconds=seconds))
    found = list(parts(window, anchor, cuts))
    assert (found[0].start, found[-1].end) == (window.start, window.end)
    assert all(before.end == after.start for before, after in pairwise(found))
    assert all(billing_period(part.start, anchor).end >= part.end for part in found)
    assert {cut for cut in cuts if window.start < cut < window.end} <= {part.start for part in found}
