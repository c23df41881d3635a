"""Finished measurements are kept in ``bench-out/`` and not repeated; every one carries machine, load and time."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import modelmint
from modelmint.kit.files import write_atomic
from modelmint.kit.machine import load_average, this_machine
from modelmint.sdk.tables import plain_text
from modelmint.sdk.types import Column, TableView
from modelmint.venture.load import load_venture


@dataclass(frozen=True)
class Bench:
    """One run of the benches."""

    out: Path
    #: Measure again what was measured already.
    again: bool
    #: How many seeds a training figure takes.
    seeds: int

    def measure(self, figure: str, key: str, work: Callable[[Path], Mapping[str, Any]]) -> dict[str, Any]:
        """What ``work(folder)`` gives, from ``OUT/figure/key.json`` where it was measured already.

        ``folder`` is empty and stays, so that an interrupted build goes on where it was.
        """
        file = self.out / figure / f"{key}.json"
        if file.exists() and not self.again:
            kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return kept
        print(f"... {figure} {key}", file=sys.stderr, flush=True)
        folder = self.out / "work" / figure / key
        if self.again:
            shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        before, began = load_average(), time.monotonic()
        found = dict(work(folder))
        record = {
            **found,
            "machine": asdict(this_machine()),
            "modelmint": modelmint.__version__,
            "load_before": before,
            "seconds_in_all": round(time.monotonic() - began, 2),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_atomic(file, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
        return record


def command(*words: str, folder: Path | None = None) -> dict[str, Any]:
    """The answer of ``modelmint WORDS --json`` in a process of its own; ends the bench where it fails."""
    place = ["-C", str(folder)] if folder else []
    done = subprocess.run(
        [sys.executable, "-m", "modelmint", *place, "--json", *words], stdout=subprocess.PIPE, text=True, check=False
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    if done.returncode != 0:
        sys.exit(f"modelmint {' '.join(words)} failed with {done.returncode}: {answer.get('error', answer)}")
    return answer


def set_keys(file: Path, section: str, values: Mapping[str, str]) -> None:
    """Set ``key = value`` (already TOML) in ``[section]`` of a venture file, replacing what stood there."""
    text = file.read_text(encoding="utf-8")
    head, mark, rest = text.partition(f"\n[{section}]")
    if not mark:
        sys.exit(f"{file} has no [{section}]")
    first, newline, below = rest.partition("\n")
    end = re.search(r"^\[", below, flags=re.M)
    body, tail = (below[: end.start()], below[end.start() :]) if end else (below, "")
    for key in values:
        body = re.sub(rf"^{key}\s*=.*\n", "", body, flags=re.M)
    added = "".join(f"{key} = {value}\n" for key, value in values.items())
    write_atomic(file, head + mark + first + newline + added + body + tail)


def built(
    folder: Path, solution: str, *, data: Path | None = None, model: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """``new`` with changed ``[model]`` keys, then ``build``; the build's object.

    Gates are waived: a bench reports what it finds, it does not decide what may be sold.
    """
    venture = folder / solution
    if not (venture / "venture.toml").exists():
        command("new", solution, "--solution", solution, *(["--data", str(data)] if data else []), folder=folder)
    if model:
        set_keys(venture / "venture.toml", "model", model)
    gates = load_venture(venture).file.gates.bounds()
    return command("build", *(f"--waive={name}=a bench reports what it finds" for name in gates), folder=venture)


def value(estimate: Any) -> float | None:
    """A number, or the value of an estimate, from JSON."""
    found = estimate.get("value") if isinstance(estimate, dict) else estimate
    return None if found is None else float(found)


def mean(numbers: Sequence[float]) -> float:
    """The arithmetic mean."""
    return sum(numbers) / len(numbers)


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], records: Sequence[Mapping[str, Any]]
) -> None:
    """Print a table with the machine and the load it was measured under; the first column holds words."""
    heads = tuple(Column(name, figure=index > 0) for index, name in enumerate(columns))
    view = TableView(title, heads, tuple(tuple(row) for row in rows), {}, about(records))
    print("\n" + plain_text(view), flush=True)


def about(records: Sequence[Mapping[str, Any]]) -> str:
    """One line: machine, load before each measurement, when."""
    machines = "; ".join(sorted({f"{one['machine']['processor']}, {one['machine']['cores']} cores" for one in records}))
    loads = ", ".join(f"{one['load_before']:.1f}" for one in records)
    days = sorted({one["at"][:10] for one in records})
    return f"{machines}; load average before: {loads}; {' and '.join(days)}; modelmint {records[0]['modelmint']}"
