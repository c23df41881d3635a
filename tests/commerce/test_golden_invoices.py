"""Invoices worked by hand, in currencies with two, no and three decimals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from modelmint.commerce.billing.periods import draft_invoice, end_of
from modelmint.commerce.billing.types import Invoice
from modelmint.commerce.catalog import plans_from
from modelmint.commerce.documents.invoice_text import render
from modelmint.commerce.errors import PeriodNotOver, Unbalanced, UnknownLanguage
from modelmint.commerce.ledger.postings import check_balanced, postings
from modelmint.commerce.metering.types import MeterTotals
from modelmint.commerce.types import Customer, Subscription
from modelmint.kit.period import Period, month_of
from modelmint.venture.sections.plans import PlanSection

MONTH = month_of(datetime(2026, 11, 5, tzinfo=UTC))
CUSTOMER = Customer("cus_1", "北方诊所", "", MONTH.start)

GOLDEN: list[tuple[str, dict[str, Any], dict[str, int], list[int]]] = [
    # 12,345 x 0.02 = 246.90
    ("usd per call", {"per_call": "0.02 USD"}, {"calls": 12_345}, [24_690]),
    # 49 + 5000 included + 1234 x 0.01 = 12.34
    (
        "usd monthly",
        {"monthly": "49 USD", "included_calls": 5000, "overage": "0.01 USD"},
        {"calls": 6234},
        [4900, 0, 1234],
    ),
    # 3 x 0.015 = 0.045, half up
    ("usd half a cent", {"per_call": "0.015 USD"}, {"calls": 3}, [5]),
    # 100 x 1.5 = 150; 400 x 0.755 = 302; 7 x 0.1 = 0.7 -> 1
    (
        "jpy tiers",
        {
            "charges": [
                {
                    "tiers": [
                        {"up_to": 100, "price": "1.5 JPY"},
                        {"up_to": 500, "price": "0.755 JPY"},
                        {"price": "0.1 JPY"},
                    ]
                }
            ]
        },
        {"calls": 507},
        [150, 302, 1],
    ),
    # 333 x 0.0125 = 4.1625 -> 4.163
    ("kwd per call", {"per_call": "0.0125 KWD"}, {"calls": 333}, [4163]),
    # 199 + 10 x 0.35 = 3.50 over items
    (
        "cny items",
        {"monthly": "199 CNY", "charges": [{"meter": "items", "tiers": [{"price": "0.35 CNY"}]}]},
        {"calls": 2, "items": 10},
        [19_900, 350],
    ),
]


def invoice(table: dict[str, Any], quantities: dict[str, int], before: dict[str, int] | None = None) -> Invoice | None:
    (plan,) = plans_from({"clinic": PlanSection.model_validate({"title": "Clinic", **table})})
    held = Subscription("sub", CUSTOMER.id, plan.name, plan.version, MONTH.start, None)
    totals = [MeterTotals("sub", MONTH.start, before or {}, quantities)]
    return draft_invoice(CUSTOMER, held, plan, MONTH, totals, notice="not for clinical use", now=MONTH.end)


@pytest.mark.parametrize(("table", "used", "wanted"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN])
def test_an_invoice_says_what_was_worked_out_by_hand(
    table: dict[str, Any], used: dict[str, int], wanted: list[int]
) -> None:
    found = invoice(table, used)
    assert found is not None
    assert [line.amount.minor for line in found.lines] == wanted
    assert found.total.minor == sum(wanted)


def test_an_invoice_in_english_shows_its_arithmetic() -> None:
    found = invoice({"monthly": "49 USD", "included_calls": 10, "overage": "0.015 USD"}, {"calls": 7}, {"calls": 6})
    assert found is not None
    text = render(found)
    assert text.splitlines()[0] == "DRAFT INVOICE (not final)"
    assert "    2026-11, 1 to 10: 4 x 0 USD = 0.00 USD; 6 are on earlier invoices" in text.splitlines()
    wanted = "    2026-11, 11 and up: 3 x 0.015 USD = 0.045 USD; 0.05 USD after rounding the month's running total of 3"
    assert wanted in text.splitlines()
    assert text.splitlines()[-3].split() == ["Total", "49.05", "USD"]


def test_an_invoice_in_chinese_lines_up_on_a_terminal() -> None:
    found = invoice({"per_call": "0.02 USD", "title": "按次付费"}, {"calls": 200})
    assert found is not None
    lines = render(found, "zh").splitlines()
    assert lines[0] == "账单草稿（未定稿）"
    assert "    2026-11：200 × 0.02 USD = 4.00 USD" in lines
    widths = {
        sum(2 if ord(char) > 0x2E80 else 1 for char in line)
        for line in lines
        if line.endswith(("USD", "金额")) and not line.startswith("    ")
    }
    assert widths == {78}
    with pytest.raises(UnknownLanguage):
        render(found, "xx")


def test_a_month_without_fee_and_usage_is_no_invoice() -> None:
    assert invoice({"per_call": "0.02 USD"}, {}) is None


def test_a_ledger_that_does_not_sum_to_zero_is_named() -> None:
    found = invoice({"per_call": "0.02 USD"}, {"calls": 5})
    assert found is not None
    entries = postings(found)
    with pytest.raises(Unbalanced, match=entries[0].transaction):
        check_balanced(entries[1:])


def test_until_now_ends_just_after_now_and_never_after_the_period() -> None:
    middle = datetime(2026, 11, 15, tzinfo=UTC)
    assert end_of(MONTH, MONTH.end, until_now=False) == MONTH.end
    assert end_of(MONTH, middle, until_now=True) == middle.replace(microsecond=1)
    assert end_of(MONTH, datetime(2027, 1, 1, tzinfo=UTC), until_now=True) == MONTH.end
    later = Period(datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC))
    assert end_of(later, later.start, until_now=True) == later.start.replace(microsecond=1)
    with pytest.raises(PeriodNotOver, match="nothing can be closed before it begins"):
        end_of(later, middle, until_now=True)
    with pytest.raises(PeriodNotOver, match="or ask for the invoice until now"):
        end_of(MONTH, middle, until_now=False)
