"""Regular housekeeping beside the server: one thread per process, one lease for all of them.

Processes of one workspace take turns by a lease file; where machines share a PostgreSQL database, a lease in it
decides between them, too.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from modelmint.bootstrap import Shop
from modelmint.operations import billing
from modelmint.operations.collect import collect_due
from modelmint.operations.keep_inputs import sweep
from modelmint.worker.aside import Aside
from modelmint.worker.courier import Courier
from modelmint.worker.reporter import Reporter

_log = logging.getLogger("modelmint.worker")
LEASE_FILE = "worker.lease"
#: Batches of old messages that go in one turn.
MOST_BATCHES = 20


@dataclass(frozen=True, slots=True)
class Duty:
    """Something done every so often, by one process at a time; ``run`` returns how much there was to do."""

    name: str
    every_seconds: float
    run: Callable[[Shop], int]
    #: About this workspace's own files: done on every machine that shares the books.
    local: bool = False


def release_stale(shop: Shop) -> int:
    """Close reservations that dead processes left open; they are never billed."""
    return shop.books.release_stale()


def collect(shop: Shop, stopping: Callable[[], bool]) -> int:
    """Ask for what is owed and due."""
    return len(collect_due(shop.books, shop.provider, stopping))


def close_due(shop: Shop) -> int:
    """Bill what has ended, where the venture asks for it."""
    if shop.billing is None or shop.billing.close != "auto":
        return 0
    return len(billing.close_due(shop.books, shop.shelf, shop.notice).invoices)


def renew_credit(shop: Shop) -> int:
    """Count again what prepaid credit covers, where some of it ran out or a billing period ended."""
    return shop.books.credits.renew()


def mind_credit(shop: Shop) -> int:
    """Book credit that ran out, tell of credit that runs low."""
    return shop.books.credits.expire() + shop.books.credits.watch()


def purge_messages(shop: Shop) -> int:
    """Forget old messages, in short transactions between which everybody else has a turn."""
    gone = 0
    for _ in range(MOST_BATCHES):
        batch = shop.books.outbox.purge(*shop.messages_kept)
        if not batch:
            break
        gone += batch
    return gone


def purge_leads(shop: Shop) -> int:
    """Forget what visitors left long ago."""
    return shop.books.visitors.purge(shop.books.now(), timedelta(days=shop.trial_page.keep_days))


def purge_inputs(shop: Shop) -> int:
    """Delete stored inputs that are old, or that nobody consents to any more."""
    return sweep(shop.books, shop.inputs, shop.privacy.keep_days)


DUTIES: tuple[Duty, ...] = (
    Duty("release_stale", 5.0, release_stale),
    Duty("close_due", 60.0, close_due),
    Duty("renew_credit", 1.0, renew_credit),
    Duty("mind_credit", 30.0, mind_credit),
    Duty("purge_messages", 60.0, purge_messages),
    Duty("purge_leads", 60.0, purge_leads),
    Duty("purge_inputs", 60.0, purge_inputs, local=True),
)


class Lease:
    """Held by one process of this workspace at a time; the kernel takes it back when the holder dies."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self.held = False

    def take(self) -> bool:
        """Whether this process holds the lease now."""
        if not self.held:
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            self.held = True
        return True

    def close(self) -> None:
        """Give it back."""
        os.close(self._handle)
        self.held = False


class Schedule:
    """Runs the duties while this process holds the lease."""

    def __init__(self, shop: Shop, duties: Sequence[Duty] = DUTIES, tick_seconds: float = 1.0) -> None:
        self._shop, self._duties, self._tick = shop, duties, tick_seconds
        self._lease, self._books_lease = Lease(shop.workspace / LEASE_FILE), shop.books.duty_lease()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        waited = {duty.name: duty.every_seconds for duty in self._duties}
        while not self._stop.wait(self._tick):
            here, in_books = self._may_work()
            for duty in self._duties:
                if not (here if duty.local else in_books):
                    continue
                waited[duty.name] += self._tick
                if waited[duty.name] >= duty.every_seconds:
                    waited[duty.name] = 0.0
                    self._do(duty)

    def _may_work(self) -> tuple[bool, bool]:
        """Whether this process does the work of this workspace, and of the books."""
        try:
            here = self._lease.take()
            return here, here and self._books_lease.take()
        except Exception:  # the books are away for a moment
            _log.exception("could not ask for the lease")
            return False, False

    def _do(self, duty: Duty) -> None:
        try:
            done = duty.run(self._shop)
        except Exception:  # the next turn may go well; the server serves on
            _log.exception("duty %s failed", duty.name)
            return
        if done:
            _log.info("duty %s: %d", duty.name, done)

    def stop(self) -> None:
        """Finish the duty under way and end."""
        self._stop.set()
        self._thread.join()
        self._books_lease.close()
        self._lease.close()


def start(shop: Shop) -> Callable[[], None]:
    """Begin the schedule in this process; returns what ends it. ``modelmint serve`` hands this to the server."""
    courier, collector = Courier(), Aside("collect", collect)
    reporter = Aside("report_usage", Reporter().run)
    duties = [*DUTIES, Duty("webhooks", 1.0, courier.turn)]
    if shop.takes_payments:
        duties.append(Duty("collect", 60.0, collector.turn))
    if shop.billing is not None and shop.billing.report_usage:
        duties.append(Duty("report_usage", 60.0, reporter.turn))
    schedule = Schedule(shop, duties)

    def stop() -> None:
        schedule.stop()
        courier.close()
        collector.close()
        reporter.close()

    return stop
