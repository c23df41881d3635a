"""The real server as a process of its own: started, waited for, stopped gracefully."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from modelmint.cli.errors import ServerDidNotStart

#: Seconds that a start may take, model loading included.
START = 60.0
#: Seconds for running calls to end after SIGTERM.
STOP = 15.0


class ServerProcess:
    """``modelmint serve`` on ``root``; a context manager that stops it at the end."""

    def __init__(self, root: Path, port: int, *, host: str = "127.0.0.1", workers: int = 1) -> None:
        self.root, self.host, self.port, self.workers = root, host, port, workers
        self.log = root / ".modelmint" / "logs" / f"serve-{port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of the parent, None before it started."""
        return self._process.pid if self._process else None

    def __enter__(self) -> ServerProcess:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", "modelmint", "-C", str(self.root), "serve", "--host", self.host]
        words += ["--port", str(self.port), "--workers", str(self.workers)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
                words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> int | None:
        """SIGTERM, then SIGKILL to the whole group where it does not end in time; the exit code."""
        process = self._process
        if process is None:
            return None
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return process.returncode

    def _wait(self) -> None:
        until = time.monotonic() + START
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise ServerDidNotStart(f"the server ended before it was ready; its last words: {self._last_words()}")
            if self._ready():
                return
            time.sleep(0.05)
        raise ServerDidNotStart(f"the server was not ready within {START:.0f} s; see {self.log}")

    def _ready(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=2)
        try:
            connection.request("GET", "/healthz/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        except http.client.HTTPException:
            return False
        finally:
            connection.close()

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:]) or f"none, see {self.log}"
