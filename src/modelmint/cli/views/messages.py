"""Webhooks, their deliveries and payments as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelmint.cli.types import Column, TableView
from modelmint.cli.views.selling import minute
from modelmint.commerce.payments.types import Attempt
from modelmint.commerce.webhooks.types import Delivery, Endpoint
from modelmint.sdk.views.figures import DASH, count


def endpoints_view(endpoints: Sequence[Endpoint]) -> TableView:
    """Where messages go."""
    rows = tuple(
        (
            one.url,
            one.owner,
            "all" if one.kinds == ("*",) else ", ".join(one.kinds),
            "disabled " + minute(one.disabled_at) if one.disabled_at else "on",
            one.id,
        )
        for one in endpoints
    )
    marks = {index: "bad" for index, one in enumerate(endpoints) if one.disabled_at}
    columns = (Column("address"), Column("whose"), Column("hears"), Column("state"), Column("id"))
    return TableView(count(len(endpoints), "webhook"), columns, rows, marks)


def deliveries_view(deliveries: Sequence[Delivery], urls: Mapping[str, str]) -> TableView:
    """``urls``: endpoint id -> address."""
    rows = tuple(
        (
            one.message,
            urls.get(one.endpoint, one.endpoint),
            one.state.replace("_", " "),
            str(one.attempts),
            str(one.last_status or DASH),
            one.last_error or DASH,
            minute(one.next_at),
        )
        for one in deliveries
    )
    marks = {index: _MARKS[one.state] for index, one in enumerate(deliveries) if one.state in _MARKS}
    columns = (
        Column("message"), Column("to"), Column("state"), Column("tries", True), Column("answer", True),
        Column("what happened"), Column("next"),
    )  # fmt: skip
    return TableView(count(len(deliveries), "delivery", "deliveries"), columns, rows, marks)


def attempts_view(attempts: Sequence[Attempt], numbers: Mapping[str, int]) -> TableView:
    """``numbers``: invoice id -> number."""
    rows = tuple(
        (
            minute(one.at),
            str(numbers.get(one.invoice, one.invoice)),
            str(one.amount),
            one.provider + (" page" if one.kind == "checkout" else ""),
            one.state,
            one.reason or DASH,
            minute(one.next_at),
            one.id,
        )
        for one in attempts
    )
    marks = {index: _MARKS[one.state] for index, one in enumerate(attempts) if one.state in _MARKS}
    columns = (
        Column("when"), Column("invoice", True), Column("amount", True), Column("by"), Column("state"),
        Column("reason"), Column("next"), Column("id"),
    )  # fmt: skip
    return TableView(count(len(attempts), "payment"), columns, rows, marks)


_MARKS = {"given_up": "alarm", "waiting": "warn", "failed": "alarm", "pending": "warn", "succeeded": "good"}
