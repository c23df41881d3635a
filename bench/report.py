"""How long a report of a built release takes, from the shell to the file: a page, and a PDF, in both languages.

``MODELMINT_BENCH_VENTURE`` names the folder of a venture that is built already; without it ``digits`` is built.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.harness import Bench, built, command, table

WANTED_SECONDS = 20.0


def run(bench: Bench) -> None:
    """Measure and print; ends with an error where a report takes longer than wanted."""
    records = [
        bench.measure("report", f"{form}-{language}", lambda folder, f=form, lang=language: _printed(folder, f, lang))
        for form in ("html", "pdf")
        for language in ("en", "zh")
    ]
    rows = [
        (f"{one['form']}, {one['language']}", f"{one['wall_s']:.1f}", f"{one['cpu_s']:.1f}", f"{one['bytes']:,}")
        for one in records
    ]
    rows.append(("wanted", f"< {WANTED_SECONDS:.0f}", "", ""))
    table(f"Report of release {records[0]['release'][:12]}", ("report", "wall s", "CPU s", "bytes"), rows, records)
    if max(one["wall_s"] for one in records) > WANTED_SECONDS:
        sys.exit("a report takes longer than wanted; look at the load")


def _printed(folder: Path, form: str, language: str) -> Mapping[str, Any]:
    named = os.environ.get("MODELMINT_BENCH_VENTURE")
    if not named:
        built(folder, "digits")
    venture, file = Path(named) if named else folder / "digits", folder / f"report.{form}"
    before, began = _children(), time.monotonic()
    told = command("report", "--out", str(file), "--language", language, folder=venture)
    wall, cpu = time.monotonic() - began, _children() - before
    return {
        "form": form, "language": language, "release": told["release"], "wall_s": wall, "cpu_s": cpu,
        "bytes": file.stat().st_size,
    }  # fmt: skip


def _children() -> float:
    """CPU seconds of processes that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime
