"""Usage events of several processes at once, and of processes that are killed."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, text

from modelmint.kit.clock import ManualClock
from modelmint.kit.period import Period
from modelmint.store.open import open_books
from modelmint.testing.books import Caller, a_caller

sys.path.insert(0, str(Path(__file__).parent))
from event_process import BATCHES, OVERLAP, SIZE, batch

PROGRAM = Path(__file__).with_name("event_process.py")
#: Different events in all batches.
ALL = BATCHES * (SIZE - OVERLAP) + OVERLAP
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
AROUND = Period(BEGAN - timedelta(days=1), BEGAN + timedelta(days=1))


def a_reporter(url: str) -> Caller:
    """A customer since before the first event."""
    books = open_books(url, ManualClock(BEGAN - timedelta(days=1)))
    caller = a_caller(books)
    books.close()
    return caller


def start(url: str, caller: Caller, first: int, step: int) -> subprocess.Popen[str]:
    words = [url, caller.customer.id, str(first), str(step), str(int(BEGAN.timestamp()))]
    process = subprocess.Popen([sys.executable, str(PROGRAM), *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def sums(url: str) -> tuple[int, int, int, int]:
    """Rows; n and units of the roll-ups; different values."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = [
            int(connection.execute(text(query)).scalar() or 0)
            for query in (
                "SELECT count(*) FROM events", "SELECT sum(n) FROM event_rollups",
                "SELECT sum(quantity) / 1000000 FROM event_rollups", "SELECT count(DISTINCT value) FROM uniques",
            )
        ]  # fmt: skip
    engine.dispose()
    return found[0], found[1], found[2], found[3]


WHOLE = (ALL, ALL, sum(range(ALL)), 7)


def test_four_processes_that_report_overlapping_batches_count_every_event_once(url: str) -> None:
    caller = a_reporter(url)
    running = [start(url, caller, first, 3) for first in (0, 1, 2, 0)]
    for process in running:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert sums(url) == WHOLE


def test_a_process_killed_while_it_reports_leaves_whole_batches_and_all_that_it_was_told_of(url: str) -> None:
    caller = a_reporter(url)
    told: set[int] = set()
    for round_ in range(4):
        process = start(url, caller, round_ * 3, 1)
        assert process.stdout is not None
        told.add(int(process.stdout.readline()))
        time.sleep(0.02 * round_)
        process.kill()
        told |= {int(line) for line in process.stdout.read().split("\n") if line.strip()}
        process.wait()
        books = open_books(url)
        customer = caller.customer.id
        stored = {event.id for event in books.meters.log(customer, AROUND, limit=10_000).events}
        again = [books.meters.record(customer, "key", batch(number, BEGAN)) for number in sorted(told)]
        assert all((found.accepted, found.duplicates) == (0, SIZE) for found in again)
        for number in range(BATCHES):  # a batch is there as a whole or only where its neighbours reach into it
            own = {event.id for event in batch(number, BEGAN)[OVERLAP:]} & stored
            assert len(own) in (0, SIZE - OVERLAP)
        assert books.journal.verify(raw=True).findings == ()
        books.close()
    books = open_books(url)
    for number in range(BATCHES):
        books.meters.record(caller.customer.id, "key", batch(number, BEGAN))
    assert books.journal.verify(raw=True).findings == ()
    books.close()
    assert sums(url) == WHOLE
