"""Housekeeping: one holder of the lease, duties that fail and go on."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from modelmint.bootstrap import Shop, open_shop
from modelmint.kit.clock import ManualClock
from modelmint.testing.shops import furnish
from modelmint.testing.waiting import eventually
from modelmint.worker.schedule import DUTIES, Duty, Lease, Schedule, purge_messages, start

_HOLD = """
import sys, time
from pathlib import Path
from modelmint.worker.schedule import Lease
lease = Lease(Path(sys.argv[1]))
print(lease.take(), flush=True)
time.sleep(3600)
"""


def test_one_process_holds_the_lease_and_the_next_one_gets_it_when_the_holder_dies(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", _HOLD, tmp_path / "lease"], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    lease = Lease(tmp_path / "lease")
    assert not lease.take()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert lease.take()
    assert lease.take()
    lease.close()


def test_a_duty_runs_at_its_own_pace_and_one_that_fails_is_tried_again(tmp_path: Path) -> None:
    furnish(tmp_path)
    often: list[int] = []
    seldom: list[int] = []
    failing: list[int] = []

    def fail(_: Shop) -> int:
        failing.append(1)
        raise RuntimeError("not today")

    duties = [
        Duty("failing", 0.02, fail),
        Duty("often", 0.02, lambda _: often.append(1) or 1),
        Duty("seldom", 60.0, lambda _: seldom.append(1) or 0),
    ]
    with open_shop(tmp_path) as shop:
        schedule = Schedule(shop, duties, tick_seconds=0.02)
        eventually(lambda: len(often) >= 5)
        schedule.stop()
        assert len(failing) >= 4
        assert len(seldom) == 1
        ran = len(often)
        time.sleep(0.1)
        assert len(often) == ran


def test_only_the_holder_of_the_lease_works(tmp_path: Path) -> None:
    furnish(tmp_path)
    ran: list[str] = []
    with open_shop(tmp_path) as shop:
        first = Schedule(shop, [Duty("first", 0.01, lambda _: ran.append("first") or 0)], tick_seconds=0.01)
        eventually(lambda: ran)
        second = Schedule(shop, [Duty("second", 0.01, lambda _: ran.append("second") or 0)], tick_seconds=0.01)
        time.sleep(0.2)
        assert set(ran) == {"first"}
        first.stop()
        before = len(ran)
        eventually(lambda: len(ran) > before)
        second.stop()
        assert ran[-1] == "second"


def test_old_messages_are_purged_after_the_days_that_the_venture_says(tmp_path: Path) -> None:
    furnish(tmp_path)
    venture = tmp_path / "venture.toml"
    venture.write_text(venture.read_text() + "\n[webhooks]\nkeep_days = 7\nkeep_failed_days = 8\n")
    clock = ManualClock(datetime.now(UTC))
    with open_shop(tmp_path, clock=clock) as shop:
        shop.books.add_customer("Clinic South", "")
        shop.books.subscribe("Clinic South", "payg")
        told = shop.books.outbox.dispatch()
        assert told > 0
        clock.advance(timedelta(days=6))
        assert purge_messages(shop) == 0
        clock.advance(timedelta(days=2))
        assert purge_messages(shop) >= told
        assert purge_messages(shop) == 0


def test_the_server_is_handed_a_schedule_with_the_sweeper_in_it(tmp_path: Path) -> None:
    furnish(tmp_path)
    assert [duty.name for duty in DUTIES] == [
        "release_stale", "close_due", "renew_credit", "mind_credit", "purge_messages", "purge_leads", "purge_inputs",
    ]  # fmt: skip
    with open_shop(tmp_path) as shop:
        stop = start(shop)
        assert [duty.run(shop) for duty in DUTIES] == [0] * len(DUTIES)
        stop()
