"""``/metrics`` in the Prometheus text format 0.0.4: outcomes from the books, figures of every process."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping

from modelmint.api.board import BUCKETS, Row

MEDIA_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
_GAUGES = {
    "ready": ("modelmint_worker_ready", "1 where the process serves"),
    "connections": ("modelmint_connections", "open client connections"),
    "in_flight": ("modelmint_calls_in_flight", "calls being answered now"),
    "waiting": ("modelmint_calls_waiting", "calls queued for an engine now"),
    "stale_deployments": ("modelmint_stale_deployments", "public names whose newest deployment could not be loaded"),
}
_COUNTERS = {
    "starts": ("modelmint_worker_starts_total", "times this process was started"),
    "batches": ("modelmint_engine_batches_total", "batches that engines ran"),
    "items": ("modelmint_engine_items_total", "inputs that engines ran"),
    "engine_cpu_seconds": ("modelmint_compute_cpu_seconds_total", "CPU spent on encoding and engines"),
}


def escape(value: str) -> str:
    """A label value as the format wants it: backslash, quote and line feed escaped."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inside = ",".join(f'{key}="{escape(text)}"' for key, text in labels.items())
    number = str(int(value)) if value == int(value) else repr(value)
    return f"{name}{{{inside}}} {number}" if inside else f"{name} {number}"


def render(
    counts: Mapping[tuple[str, int, str], int], rows: Iterable[Row], feedback: Mapping[tuple[str, str], int]
) -> bytes:
    """The whole page. ``counts`` is (model, status, code) -> outcomes over all processes and restarts.

    ``feedback`` is (model, kind) -> rows ever given, corrections included.
    """
    rows = list(rows)
    lines = [
        "# HELP modelmint_outcomes_total Authenticated calls by how they ended, from the books.",
        "# TYPE modelmint_outcomes_total counter",
    ]
    for (model, status, code), count in sorted(counts.items()):
        lines.append(_sample("modelmint_outcomes_total", {"model": model, "status": str(status), "code": code}, count))
    lines += [
        "# HELP modelmint_feedback_total Feedback that customers gave, corrections included, from the books.",
        "# TYPE modelmint_feedback_total counter",
    ]
    for (model, said), count in sorted(feedback.items()):
        lines.append(_sample("modelmint_feedback_total", {"model": model, "kind": said}, count))
    for kind, table in (("gauge", _GAUGES), ("counter", _COUNTERS)):
        for key, (name, text) in table.items():
            lines += [f"# HELP {name} {text.capitalize()}.", f"# TYPE {name} {kind}"]
            lines += [_sample(name, _labels(row), row.values[key]) for row in rows]
    name = "modelmint_predict_responses_total"
    lines += [f"# HELP {name} Responses of the paid route, unauthenticated ones included.", f"# TYPE {name} counter"]
    for row in rows:
        for kind in ("2xx", "3xx", "4xx", "5xx"):
            lines.append(_sample(name, {**_labels(row), "class": kind}, row.values[f"class_{kind}"]))
    lines += _histogram(rows)
    return ("\n".join(lines) + "\n").encode()


def _histogram(rows: list[Row]) -> list[str]:
    name = "modelmint_predict_seconds"
    lines = [f"# HELP {name} Time from the first byte of a call understood to its answer.", f"# TYPE {name} histogram"]
    for row in rows:
        labels = _labels(row)
        for bound, count in zip([*map(str, BUCKETS), "+Inf"], itertools.accumulate(row.buckets), strict=True):
            lines.append(_sample(f"{name}_bucket", {**labels, "le": bound}, count))
        lines.append(_sample(f"{name}_sum", labels, round(row.values["seconds"], 6)))
        lines.append(_sample(f"{name}_count", labels, sum(row.buckets)))
    return lines


def _labels(row: Row) -> dict[str, str]:
    return {"worker": str(row.worker)}
