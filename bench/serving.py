"""The digits release through the real server: calls a second, wall times and CPU per call at each level of clients."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.harness import Bench, built, command, table


def _work(folder: Path) -> dict[str, Any]:
    built(folder, "digits")
    return {"bench": command("bench", folder=folder / "digits")}


def run(bench: Bench) -> None:
    """Measure and print."""
    record = bench.measure("serving", "digits", _work)
    rows = []
    for model in record["bench"]["models"].values():
        load = model["load"]
        for point in load["points"]:
            rows.append(
                (
                    f"{point['clients']} clients, {model['engine']}, {load['workers']} processes",
                    f"{point['calls']:,}",
                    f"{point['calls_per_second']:,.0f}",
                    f"{point['p50_ms']:.2f}",
                    f"{point['p99_ms']:.2f}",
                    f"{point['server_cpu_ms']:.3f}",
                    str(point["errors"]),
                )
            )
    columns = ("paid calls over HTTP", "n", "calls/s", "p50 ms", "p99 ms", "server CPU ms a call", "errors")
    table("Serving digits, key check, metering and sync to disk included", columns, rows, [record])
