"""Forgetting a person: in the books, then in what was stored beside them."""

from __future__ import annotations

from dataclasses import replace

from modelmint.commerce.people.types import Erasure
from modelmint.commerce.repository import Books
from modelmint.monitoring.inputs.folder import InputFolder


def erase(books: Books, inputs: InputFolder, customer: str, *, force: bool = False) -> Erasure:
    """As ``People.erase``, and stored inputs go too; raises ``ErasureWaits``.

    The books come first: from then on there is no consent, so that nothing new is stored while the files go.
    """
    done = books.people.erase(customer, force=force)
    return replace(done, inputs=inputs.forget(done.customer))
