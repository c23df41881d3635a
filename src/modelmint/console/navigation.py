"""What stands in the side bar, in order. A page that wants to be found adds a line here and a word in each language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """A link: ``words`` names it, ``path`` is where it leads and what is below it."""

    words: str
    path: str


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under one heading."""

    words: str
    entries: tuple[Entry, ...]


FOUNDER: tuple[Group, ...] = (
    Group(
        "nav.product",
        (
            Entry("nav.release", "/console/release"),
            Entry("nav.try", "/console/try"),
            Entry("nav.earn", "/console/earn"),
            Entry("nav.data", "/console/data"),
        ),
    ),
    Group(
        "nav.sell",
        (
            Entry("nav.overview", "/console/overview"),
            Entry("nav.customers", "/console/customers"),
            Entry("nav.plans", "/console/plans"),
            Entry("nav.invoices", "/console/invoices"),
        ),
    ),
    Group(
        "nav.reach",
        (
            Entry("nav.feedback", "/console/feedback"),
            Entry("nav.leads", "/console/leads"),
            Entry("nav.partners", "/console/partners"),
            Entry("nav.channels", "/console/channels"),
        ),
    ),
    Group(
        "nav.books",
        (
            Entry("nav.ledger", "/console/ledger"),
            Entry("nav.payments", "/console/payments"),
            Entry("nav.webhooks", "/console/webhooks"),
            Entry("nav.alarms", "/console/alarms"),
            Entry("nav.audit", "/console/audit"),
        ),
    ),
)

CUSTOMER: tuple[Group, ...] = (
    Group(
        "nav.account",
        (
            Entry("nav.usage", "/console/my/usage"),
            Entry("nav.plan", "/console/my/plan"),
            Entry("nav.invoices", "/console/my/invoices"),
            Entry("nav.keys", "/console/my/keys"),
            Entry("nav.account_page", "/console/my/account"),
            Entry("nav.try", "/console/my/try"),
            Entry("nav.start", "/console/my/start"),
        ),
    ),
)

#: Below the name of one customer, as the founder sees it.
TABS: tuple[Entry, ...] = (
    Entry("nav.usage", "/usage"),
    Entry("nav.plan", "/plan"),
    Entry("nav.invoices", "/invoices"),
    Entry("nav.keys", "/keys"),
    Entry("nav.account_page", "/account"),
)


def is_here(entry: Entry, path: str) -> bool:
    """Whether ``path`` is that page or one below it."""
    return path == entry.path or path.startswith(entry.path + "/")
