"""Processor, instructions, memory, disk, load: what decides how long a build takes and what a call costs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from modelmint.cli.types import Check
from modelmint.kit.machine import load_average, this_machine

_INT8 = ("avx512_vnni", "avx_vnni", "amx_int8", "i8mm", "asimddp")
_BF16 = ("avx512_bf16", "amx_bf16")
GIB = 2**30


def check_machine(folder: Path) -> Iterator[Check]:
    """Rows about the machine; ``folder`` is where the workspace would lie."""
    machine = this_machine()
    few = machine.cores < 2
    yield Check(
        "machine", "processor", "warn" if few else "ok", f"{machine.processor}, {machine.cores} cores for this process",
        "one core trains and times slowly; two or more are better" if few else "",
    )  # fmt: skip
    yield _int8(machine.instructions)
    has = [name for name in _BF16 if name in machine.instructions]
    yield Check("machine", "bfloat16", "ok", ", ".join(has) or "none; training stays in float32, build times both")
    yield _memory()
    yield _disk(folder)
    yield _load(machine.cores)


def _int8(instructions: tuple[str, ...]) -> Check:
    found = [name for name in _INT8 if name in instructions]
    if found:
        return Check("machine", "int8", "ok", ", ".join(found))
    if "avx2" in instructions:
        return Check("machine", "int8", "warn", "avx2 only", "int8 may gain little here; build times it and decides")
    return Check("machine", "int8", "warn", "none known", "int8 may be slower than float32 here; build times it")


def _memory() -> Check:
    free = psutil.virtual_memory().available / GIB
    total = psutil.virtual_memory().total / GIB
    found = f"{free:.1f} GiB free of {total:.1f} GiB"
    if free < 1:
        return Check("machine", "memory", "bad", found, "close other programs; training needs about 2 GiB")
    if free < 2:
        return Check("machine", "memory", "warn", found, "tight for training: lower model.batch_size")
    return Check("machine", "memory", "ok", found)


def _disk(folder: Path) -> Check:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free / GIB
    found = f"{free:.1f} GiB free at {place}"
    if free < 0.5:
        return Check("machine", "disk", "bad", found, "make room; checkpoints and releases need it")
    if free < 2:
        return Check("machine", "disk", "warn", found, "enough for a small model; make room for more")
    return Check("machine", "disk", "ok", found)


def _load(cores: int) -> Check:
    busy = psutil.cpu_percent(interval=0.3) / 100 * cores
    found = f"{busy:.1f} of {cores} cores busy now, {load_average():.1f} over the last minute"
    if busy > 0.25 * cores:
        return Check(
            "machine", "load", "warn", found, "stop other work before build: timings under load are repeated or marked"
        )
    return Check("machine", "load", "ok", found)
