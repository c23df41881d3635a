"""Telling a provider what was used: plan what is untold, send what is due, note what came of it.

A report and its quantity are in the books before it is sent, under the identifier that counts once. Whatever dies in
between, the next one to look sends the same again: nothing is skipped and nothing counts twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from modelmint.commerce.payments.errors import ProviderRefused, ProviderUnavailable
from modelmint.commerce.payments.reporting import closed_days
from modelmint.commerce.payments.usage_sink import UsageSink
from modelmint.commerce.repository import Books

_log = logging.getLogger(__name__)


def plan_reports(books: Books, sink: UsageSink, meters: Collection[str]) -> int:
    """Write down what is to be told of the days that are over; how many reports are new."""
    days = closed_days(books.now(), sink.usage_limits)
    return 0 if days is None else books.payments.reports.plan(sink.name, meters, days)


def send_reports(books: Books, sink: UsageSink, stopping: Callable[[], bool] = lambda: False) -> int:
    """Send what is due; how many were counted. A refused one holds up no other; where nobody answers, the run ends."""
    reports, counted = books.payments.reports, 0
    for name in reports.due(sink.name):
        if stopping():
            break
        report = reports.begin(name, sink.usage_limits)
        if report is None:
            continue
        try:
            sink.report_usage(report.reference, report.meter, report.quantity, report.id, report.at)
        except ProviderRefused as error:
            reports.refused(report.id, error.message)
            _log.warning("usage of meter %s on %s was refused: %s", report.meter, f"{report.day:%Y-%m-%d}", error)
        except ProviderUnavailable as error:
            _log.warning("usage cannot be reported now: %s", error)
            break
        else:
            reports.sent(report.id)
            counted += 1
    return counted
