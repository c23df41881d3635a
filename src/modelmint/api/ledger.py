"""The ledger over HTTP, for the founder: entries, balances, proof, replay."""

from __future__ import annotations

from itertools import islice
from typing import Any

from starlette.routing import Route

from modelmint.api.errors import BadQuery
from modelmint.api.routing import Asked, echo, route
from modelmint.api.service import Service
from modelmint.commerce.documents.invoice_json import money_json
from modelmint.commerce.ledger.segment import entry_json
from modelmint.kit.canonical import plain
from modelmint.kit.period import parse_month
from modelmint.operations.replay import replay_invoice

#: Most entries in one answer.
PAGE = 1000


def ledger_routes(service: Service) -> list[Route]:
    """All of them."""
    return [
        route(service, "/admin/v1/ledger", "founder", GET=entries),
        route(service, "/admin/v1/ledger/balances", "founder", GET=balances),
        route(service, "/admin/v1/ledger/head", "founder", GET=head),
        route(service, "/admin/v1/ledger/verify", "founder", GET=verify),
        route(service, "/admin/v1/invoices/{id}/replay", "founder", GET=replay),
    ]


def entries(asked: Asked) -> Any:
    """``?period=2026-11&account=...&after=SEQ``: a page, oldest first; ``next`` is the ``after`` of the rest."""
    query, journal = asked.query, asked.service.shop.books.journal
    after = query.get("after", "0")
    if not after.isdecimal() or len(after) > 18:
        raise BadQuery(f"expected 'after' as the seq of an entry, found {echo(after)}")
    period = parse_month(query["period"]) if "period" in query else None
    found = list(islice(journal.entries(period, query.get("account"), int(after)), PAGE + 1))
    more = len(found) > PAGE
    page = found[:PAGE]
    return {"entries": [plain(entry_json(entry)) for entry in page], "next": page[-1].seq if more else None}


def balances(asked: Asked) -> Any:
    """What stands on each account; debit is positive."""
    found = asked.service.shop.books.journal.balances()
    return {"balances": [{"account": account, "balance": money_json(left)} for (account, _), left in found.items()]}


def head(asked: Asked) -> Any:
    """Place and hash of the last entry, to note elsewhere."""
    seq, found = asked.service.shop.books.journal.head()
    return {"seq": seq, "head": found}


def verify(asked: Asked) -> Any:
    """Whether the books are whole; ``?deep=true`` adds up every call and event again, ``?head=`` was noted before."""
    deep = asked.query.get("deep", "false")
    if deep not in ("true", "false"):
        raise BadQuery(f"expected deep=true or deep=false, found {echo(deep)}")
    verdict = asked.service.shop.books.journal.verify(raw=deep == "true", noted=asked.query.get("head"))
    return {"sound": not verdict.findings, **plain(verdict)}


def replay(asked: Asked) -> Any:
    """The invoice made again in a fresh process, beside what was booked."""
    found = replay_invoice(asked.service.shop.books, asked.path["id"])
    return {"same": found.same, **plain(found)}
