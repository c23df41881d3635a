"""The duty that tells the payment provider of usage: only where it is asked for, and beside the other duties."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from modelmint.bootstrap import Shop, open_shop
from modelmint.commerce.payments.fake import FakeProvider
from modelmint.commerce.payments.usage_sink import UsageLimits, UsageSink
from modelmint.kit.clock import ManualClock
from modelmint.testing.books import a_caller
from modelmint.testing.shops import furnish
from modelmint.testing.ventures import venture_text
from modelmint.worker import schedule
from modelmint.worker.reporter import Reporter

ON = '\n[billing]\nprovider = "stripe"\nreport_usage = ["calls"]\n'


class Sink:
    """Takes usage and keeps it."""

    name = "stripe"
    usage_limits = UsageLimits(timedelta(days=35), timedelta(hours=24))

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def report_usage(self, customer: str, meter: str, quantity: int, identifier: str, at: datetime) -> None:
        self.told.append((customer, meter, quantity))


def opened(root: Path, billing: str, clock: ManualClock | None = None, provider: object = None) -> Shop:
    furnish(root, venture=venture_text("brightness") + billing)
    shop = open_shop(root, clock=clock)
    if provider is not None:
        shop.__dict__["provider"] = provider  # where cached_property keeps it
    return shop


def test_usage_is_told_once_the_hour_after_its_day_ends(tmp_path: Path) -> None:
    clock, sink = ManualClock(datetime(2026, 11, 10, 12, 0, tzinfo=UTC)), Sink()
    assert isinstance(sink, UsageSink)
    with opened(tmp_path, ON, clock, sink) as shop:
        caller = a_caller(shop.books, name="Clinic South")
        shop.books.payments.keep_reference("stripe", caller.customer.id, "cus_1")
        caller.call(3)
        reporter = Reporter()
        assert reporter.run(shop, lambda: False) == 0
        clock.advance(timedelta(days=1))
        assert reporter.run(shop, lambda: False) == 1
        assert reporter.run(shop, lambda: False) == 0
        assert sink.told == [("cus_1", "calls", 3)]


def test_a_provider_that_takes_no_usage_is_named_once_and_nothing_fails(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(tmp_path, ON, provider=FakeProvider(tmp_path / "fake", "x")) as shop:
        reporter = Reporter()
        with caplog.at_level(logging.WARNING):
            assert [reporter.run(shop, lambda: False) for _ in range(2)] == [0, 0]
    assert caplog.text.count("takes no usage") == 1


@pytest.mark.parametrize(("billing", "reports"), [(ON, True), ('\n[billing]\nprovider = "stripe"\n', False)])
def test_the_duty_is_there_only_where_the_venture_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, billing: str, reports: bool
) -> None:
    found: list[str] = []

    class Watched(schedule.Schedule):
        def __init__(self, shop: Shop, duties: Any) -> None:
            found.extend(duty.name for duty in duties)
            super().__init__(shop, [])

    monkeypatch.setattr(schedule, "Schedule", Watched)
    with opened(tmp_path, billing) as shop:
        schedule.start(shop)()
    assert ("report_usage" in found) is reports
