"""Tells the payment provider what was used, where the venture asks for it: plans each hour, sends each minute."""

from __future__ import annotations

import logging
from collections.abc import Callable

from modelmint.bootstrap import Shop
from modelmint.commerce.payments.usage_sink import UsageSink
from modelmint.operations.report_usage import plan_reports, send_reports

_log = logging.getLogger("modelmint.worker")


class Reporter:
    """One per process. Planning reads five weeks of every customer, so it is done once in every hour of the clock."""

    def __init__(self) -> None:
        self._planned: str | None = None
        self._told = False

    def run(self, shop: Shop, stopping: Callable[[], bool]) -> int:
        """How many reports the provider counted."""
        meters = shop.billing.report_usage if shop.billing else []
        if not meters:
            return 0
        sink = shop.provider
        if not isinstance(sink, UsageSink):
            if not self._told:
                _log.warning("payment provider %s takes no usage; [billing] report_usage does nothing", sink.name)
            self._told = True
            return 0
        hour = f"{shop.books.now():%Y-%m-%dT%H}"
        if hour != self._planned:
            plan_reports(shop.books, sink, meters)
            self._planned = hour
        return send_reports(shop.books, sink, stopping)
