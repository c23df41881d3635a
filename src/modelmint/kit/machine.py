"""What machine a measurement was made on."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from modelmint.kit.digest import digest_value


@dataclass(frozen=True, slots=True)
class Machine:
    """Processor, cores usable by this process, memory and system: what decides a timing."""

    processor: str
    cores: int
    memory_gib: float
    instructions: tuple[str, ...]
    system: str
    python: str

    @property
    def fingerprint(self) -> str:
        """16 hex characters; the same on two machines of the same build."""
        return digest_value([self.processor, self.cores, self.instructions, self.system])[:16]


def _cpuinfo(key: str) -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(key):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return ""


@lru_cache(maxsize=1)
def this_machine() -> Machine:
    """The machine this process runs on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    flags = set(_cpuinfo("flags").split())
    interesting = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "avx_vnni", "asimddp", "i8mm")
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        memory = 0.0
    return Machine(
        processor=_cpuinfo("model name") or platform.processor() or platform.machine(),
        cores=cores,
        memory_gib=round(memory, 1),
        instructions=tuple(flag for flag in interesting if flag in flags),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
    )


def load_average() -> float:
    """Processes that wanted a core over the last minute (0.0 where the system does not tell)."""
    try:
        return os.getloadavg()[0]
    except OSError:
        return 0.0
