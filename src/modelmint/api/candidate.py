"""A candidate release load-tested through the real server: parse, key check, metering and disk included."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelmint.api.lock import announced
from modelmint.bootstrap import WORKSPACE, open_shop
from modelmint.commerce.types import Plan
from modelmint.operations.deploy import deploy
from modelmint.operations.errors import LoadTestFailed
from modelmint.operations.load_test import LEVELS, load_test
from modelmint.releases.shelf import Shelf
from modelmint.serving.types import LoadResult, LoadTestRequest

START_SECONDS = 60.0
#: The tester's own plan: nothing is charged and nothing is limited, so that only work is measured.
UNLIMITED = Plan(
    name="load-test",
    version="load-test",
    title="Load test",
    currency=None,
    monthly=None,
    charges=(),
    free_calls=None,
    days=None,
    max_calls=None,
    calls_per_minute=None,
)


def measure_candidate(request: LoadTestRequest, *, seconds: float = 1.0) -> LoadResult:
    """``measure_release`` for a request of the workshop's build."""
    return measure_release(
        request.release, request.engine, request.threads, request.payloads, request.p99_limit_ms, seconds=seconds
    )


def measure_release(
    release: Path,
    engine: str,
    threads: int,
    payloads: Sequence[bytes],
    p99_limit_ms: float | None,
    *,
    model: str | None = None,
    seconds: float = 1.0,
    levels: Sequence[int] = LEVELS,
    workers: int | None = None,
) -> LoadResult:
    """Serve the release in ``release`` from a workspace of its own and ramp clients against it.

    The workspace lies beside the release, so that its books sync to the disk that will carry the real ones, and
    is removed afterwards. ``seconds`` is the length of one level. Raises ``LoadTestFailed``, ``DamagedRelease``.
    """
    folder = Path(tempfile.mkdtemp(prefix=".load-test-", dir=release.resolve().parent))
    try:
        name, secret = _furnish(folder, release, model)
        with server_process(folder, engine=engine, threads=threads, workers=workers) as state:
            return load_test(
                state["url"],
                secret,
                name,
                payloads,
                [state["pid"], *state["workers"]],
                p99_limit_ms,
                engine=engine,
                threads=threads,
                levels=levels,
                seconds=seconds,
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _furnish(folder: Path, release: Path, model: str | None) -> tuple[str, str]:
    """Books with the release deployed, a customer on the unlimited plan and a key; (public name, secret)."""
    added = Shelf(folder / WORKSPACE / "releases").add(release)
    with open_shop(folder) as shop:
        rows = deploy(shop.books, shop.shelf, added.id, model=model)
        shop.books.put_plans([UNLIMITED])
        customer = shop.books.add_customer("load test", "")
        shop.books.subscribe(customer.id, UNLIMITED.name)
        _, secret = shop.books.add_key(customer.id, "load test")
    return rows[0].name, secret


@contextmanager
def server_process(
    root: Path,
    *,
    engine: str | None = None,
    threads: int = 1,
    workers: int | None = None,
    port: int = 0,
    log: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """The real server on ``root`` in a process of its own; gives ``serve.json`` once it is ready, stops it after.

    Raises ``LoadTestFailed`` with the end of its log where it does not come up.
    """
    command = [sys.executable, "-m", "modelmint.api", str(root), "--port", str(port), "--threads", str(threads)]
    command += ["--engine", engine] if engine else []
    command += ["--workers", str(workers)] if workers else []
    log = log or root / WORKSPACE / "serve.log"
    with log.open("ab") as output:
        # The command is our own interpreter and our own arguments.
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)  # noqa: S603
    try:
        yield _await(process, root / WORKSPACE, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(process: subprocess.Popen[bytes], workspace: Path, log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = announced(workspace)
        if found.get("pid") == process.pid:  # another one's may lie there still
            return found
        time.sleep(0.01)
    tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
    raise LoadTestFailed(f"the server under test did not start: {tail or 'it said nothing'}")
