"""Taking the money for invoices: ask the provider, note what it says, note what it tells by webhook.

An attempt is in the books before the provider is asked, under the key that the provider is asked with. Whatever dies in
between, the next one to look finds it and asks again under the same key: nothing is taken twice and nothing forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from modelmint.commerce.payments.errors import (
    AmountNotChargeable,
    NothingDue,
    PaymentUnderWay,
    ProviderRefused,
    ProviderUnavailable,
)
from modelmint.commerce.payments.fake import FakeProvider
from modelmint.commerce.payments.provider import PaymentProvider
from modelmint.commerce.payments.types import Answer, Attempt, Checkout, ReturnUrls
from modelmint.commerce.repository import Books
from modelmint.commerce.webhooks.addresses import checked_url

_log = logging.getLogger(__name__)


def collect(books: Books, provider: PaymentProvider, invoice: str, *, early: bool = False) -> Attempt:
    """Ask for one invoice. Raises ``NothingDue``, ``PaymentUnderWay``, ``ProviderUnavailable`` (then ask again)."""
    found = books.invoice(invoice)
    attempt = books.payments.begin(found.id, provider.name, early=early)
    try:
        answer = provider.collect(found, _enrolled(books, provider, found.customer), attempt)
    except (AmountNotChargeable, ProviderRefused) as error:
        answer = Answer("failed", reason=error.code, final=isinstance(error, AmountNotChargeable))
        _log.warning("invoice %s cannot be collected: %s", found.number, error)
    return books.payments.finish(attempt.id, answer)


def collect_due(books: Books, provider: PaymentProvider, stopping: Callable[[], bool] = lambda: False) -> list[Attempt]:
    """Ask for everything that is due; one that cannot be asked for now holds up no other."""
    made = []
    for invoice in books.payments.collectable():
        if stopping():
            break
        try:
            made.append(collect(books, provider, invoice))
        except (NothingDue, PaymentUnderWay):
            continue  # another process was faster
        except ProviderUnavailable as error:
            _log.warning("invoice %s: %s", invoice, error)
    deliver_fakes(books, provider)
    return made


def checkout(books: Books, provider: PaymentProvider, invoice: str, urls: ReturnUrls) -> Checkout:
    """A page of the provider to pay an invoice on. Raises ``NothingDue``, ``PaymentUnderWay``."""
    for url in (urls.success, urls.cancel):
        checked_url(url, encrypted=False)
    found = books.invoice(invoice)
    attempt = books.payments.begin(found.id, provider.name, kind="checkout")
    page = provider.checkout(found, _enrolled(books, provider, found.customer), attempt, urls)
    books.payments.finish(attempt.id, Answer("pending", page.reference))
    deliver_fakes(books, provider)
    return page


def receive(books: Books, provider: PaymentProvider, headers: Mapping[str, str], body: bytes) -> bool:
    """What a provider tells by webhook; whether it was new. Raises ``ForgedWebhook``, and nothing is stored."""
    return books.payments.apply(provider.read_webhook(headers, body, books.now()))


def deliver_fakes(books: Books, provider: PaymentProvider) -> None:
    """The fake provider has no network: what it would post to us is handed over here, each twice, newest first."""
    if isinstance(provider, FakeProvider):
        for headers, body in provider.webhooks(books.now()):
            receive(books, provider, headers, body)


def _enrolled(books: Books, provider: PaymentProvider, customer: str) -> str:
    known = books.payments.reference(provider.name, customer)
    if known is None:
        known = provider.enrol(books.customer(customer))
        books.payments.keep_reference(provider.name, customer, known)
    return known
