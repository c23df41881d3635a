"""Who holds a reservation, and whether that process is still alive.

A pid alone is not a name: it comes back. A process is (host, boot, pid name space, pid, start time).
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Process:
    """A process on a machine, named so that no other ever has the same name."""

    host: str
    boot: str
    space: str
    pid: int
    started: str

    def __str__(self) -> str:
        return "|".join((self.host, self.boot, self.space, str(self.pid), self.started))


def parse(text: str) -> Process:
    """The process that ``str`` wrote; more may follow, where a process has several names."""
    host, boot, space, pid, started = text.split("|")[:5]
    return Process(host, boot, space, int(pid), started)


def this_process() -> Process:
    """The calling process."""
    host, boot, space = _place()
    return Process(host, boot, space, os.getpid(), _started(os.getpid()) or "")


def is_dead(other: Process, *, shared_disk_only: bool) -> bool:
    """True where ``other`` is known to have ended; False where it lives or where nobody here can tell.

    ``shared_disk_only``: all processes of these books run on one machine (SQLite), so that another boot of
    it means dead. Otherwise a process elsewhere is left to its lease.
    """
    host, boot, space = _place()
    if shared_disk_only and other.boot != boot:
        return True
    if (other.host, other.boot, other.space) != (host, boot, space):
        return False
    return _started(other.pid) != other.started


@lru_cache(maxsize=1)
def _place() -> tuple[str, str, str]:
    host = socket.gethostname().replace("|", "_")
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = str(int(psutil.boot_time()))
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return host, boot, space


def _started(pid: int) -> str | None:
    """When ``pid`` started, in a form that only repeats for the same process; None where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        try:
            return repr(psutil.Process(pid).create_time())
        except psutil.Error:
            return None
    state, ticks = fields[0], fields[19]
    return None if state in "ZX" else ticks
