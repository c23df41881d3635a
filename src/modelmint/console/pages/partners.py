"""Partners with their statements, referral codes, and what each channel brings."""

from __future__ import annotations

from datetime import timedelta

from starlette.routing import Route

from modelmint.commerce.channels.payout import owed_on
from modelmint.console.answers import Answer, Asked, Go, Page
from modelmint.console.page import PLACE, Console, page
from modelmint.kit.period import Period, month_of, parse_month

TERMS = ("commission", "wholesale")


def pages(console: Console) -> list[Route]:
    """All of them."""
    return [
        page(console, "/partners", "founder", GET=partners, POST=add),
        page(console, "/partners/{partner}", "founder", GET=partner),
        page(console, "/partners/{partner}/close", "founder", "/partners/{partner}", POST=close),
        page(console, "/partners/{partner}/pay-out", "founder", "/partners/{partner}", POST=pay_out),
        page(console, "/referrals", "founder", "/partners", POST=add_referral),
        page(console, "/referrals/withdraw", "founder", "/partners", POST=withdraw),
        page(console, "/channels", "founder", GET=channels),
    ]


def month_asked(asked: Asked) -> tuple[Period, dict[str, str]]:
    """The month looked at, and what the arrows beside it lead to."""
    month = parse_month(asked.query["month"]) if "month" in asked.query else month_of(asked.books.now())
    before = month_of(month.start - timedelta(microseconds=1))
    after = f"{month.end:%Y-%m}" if month.end <= asked.books.now() else ""
    return month, {"month": f"{month.start:%Y-%m}", "before": f"{before.start:%Y-%m}", "after": after}


def partners(asked: Asked) -> Answer:
    """Who sells for the venture, and by which codes people come."""
    found = asked.books.channels
    rows = [(one, len(found.customers(one.id))) for one in found.partners()]
    taken = {one.customer for one, _ in rows}
    others = [customer for customer in asked.books.customers() if customer.id not in taken and not customer.partner]
    names = {one.id: one.name for one, _ in rows}
    values = {"rows": rows, "others": others, "referrals": found.referrals(), "names": names, "terms": TERMS}
    return Page("partners.html", values)


def add(asked: Asked) -> Answer:
    """Make a customer a partner; the rate is typed in percent."""
    made = asked.books.channels.add_partner(asked.text("customer"), asked.chosen("terms", TERMS), asked.share("rate"))
    return Go(f"{PLACE}/partners/{made.id}", said="said.partner_added")


def partner(asked: Asked) -> Answer:
    """A partner's customers and its statement for a month."""
    found = asked.books.channels
    one = found.partner(asked.path["partner"])
    month, arrows = month_asked(asked)
    statements = found.statement(one.id, month)
    customers = found.customers(one.id)
    values = {
        "partner": one,
        "customers": customers,
        "names": {customer.id: customer.name for customer in customers},
        "statements": statements,
        "unpaid": [statement for statement in statements if statement.closed_at and owed_on(statement)],
        "over": month.end <= asked.books.now(),
        **arrows,
    }
    return Page("partner.html", values)


def close(asked: Asked) -> Answer:
    """Book a month's statement, once."""
    one = asked.books.channels.partner(asked.path["partner"])
    month = parse_month(asked.text("month"))
    asked.books.channels.close_statement(one.id, month)
    return Go(f"{PLACE}/partners/{one.id}?month={month.start:%Y-%m}", said="said.statement_closed")


def pay_out(asked: Asked) -> Answer:
    """All that is left of a closed statement was paid by hand, once."""
    one = asked.books.channels.partner(asked.path["partner"])
    month = parse_month(asked.text("month"))
    asked.books.channels.pay_out(one.id, month, reference=asked.form.get("reference", ""))
    return Go(f"{PLACE}/partners/{one.id}?month={month.start:%Y-%m}", said="said.statement_paid_out")


def add_referral(asked: Asked) -> Answer:
    """A code that says where people come from."""
    asked.books.channels.add_referral(asked.text("code"), asked.text("channel"), asked.form.get("partner") or None)
    return Go(f"{PLACE}/partners", said="said.referral_added")


def withdraw(asked: Asked) -> Answer:
    """Nobody comes with this code any more."""
    asked.books.channels.withdraw_referral(asked.text("code"))
    return Go(f"{PLACE}/partners", said="said.referral_withdrawn")


def channels(asked: Asked) -> Answer:
    """Sign-ups, revenue, cost, commission and margin of each channel."""
    month, arrows = month_asked(asked)
    return Page("channels.html", {"rows": asked.books.channels.report(month), **arrows})
