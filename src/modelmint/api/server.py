"""The parent of the server processes: binds the port, starts them, replaces the dead, passes stops on."""

from __future__ import annotations

import contextlib
import errno
import logging
import multiprocessing
import os
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from pathlib import Path

import psutil

from modelmint.api.board import Board
from modelmint.api.errors import BadHost, PortTaken, ServerFailed
from modelmint.api.identity import admin_token
from modelmint.api.lock import announce, claimed
from modelmint.api.process import STARTUP_FAILED, Background, Mounts, ProcessConfig, process_name, serve_process
from modelmint.api.tls import TlsFiles, proxies
from modelmint.bootstrap import WORKSPACE, open_shop
from modelmint.kit.errors import ModelmintError
from modelmint.kit.machine import this_machine
from modelmint.operations.deploy import ensure_deployed, targets
from modelmint.serving.loading import engine_choice
from modelmint.serving.types import EngineChoice

_log = logging.getLogger("modelmint.api")
BACKLOG = 2048
#: A process that lives shorter than this counts as a failed start.
SHORT_LIFE_SECONDS = 5.0
FAILED_STARTS = 5
KILL_AFTER_SECONDS = 40.0
#: One stop may arrive twice, sent to the process and to its group; only a later one is another.
SAME_STOP_SECONDS = 1.0


def run(
    root: Path,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int | None = None,
    *,
    database_url: str | None = None,
    engine: EngineChoice | None = None,
    background: Background | None = None,
    mounts: Mounts | None = None,
    on_ready: Callable[[str], None] | None = None,
    log_level: str = "WARNING",
    tls: TlsFiles | None = None,
    behind: Sequence[str] = (),
) -> None:
    """Serve the shop in ``root`` until SIGTERM or SIGINT; then finish calls under way and return.

    ``workers`` processes share one listening socket; left out, as many as the cores hold engines of the chosen
    thread count. ``port`` 0 takes a free one. Where nothing is deployed, the newest release is. ``background``
    (a module-level function) is started in every process; ``mounts`` (another) adds routes to each. ``on_ready``
    is told the URL once all of them serve. A second signal stops at once. With ``tls`` nothing but HTTPS is
    spoken, and SIGHUP reads its files again. ``behind`` names proxies, other than those on this machine, whose
    ``X-Forwarded-*`` is believed. Raises ``AlreadyServed``, ``ServerFailed``, ``BadHost``, ``PortTaken``,
    ``BadCertificate``, ``BadProxy``, and what opening the shop raises.
    """
    root = root.resolve()
    believed = proxies(behind)
    if tls is not None:
        tls.check()
    workspace = root / WORKSPACE
    with claimed(workspace):
        fitting = _prepare(root, database_url, engine)
        workers = workers or fitting
        listener = listen(host, port)
        board = new_board(workspace / "run", workers)
        config = ProcessConfig(
            root, board.path, workers, database_url, engine, background, log_level, mounts, tls, believed
        )
        parent = _Parent(config, board, listener)
        try:
            parent.start()
            url = url_of(listener, "http" if tls is None else "https")
            parent.await_ready(lambda: _announce(workspace, url, parent.pids(), on_ready))
            parent.watch(lambda: _announce(workspace, url, parent.pids(), None))
        finally:
            parent.stop()
            board.path.unlink(missing_ok=True)


def _prepare(root: Path, database_url: str | None, engine: EngineChoice | None) -> int:
    """Migrate, deploy what must be, make the founder's token; how many processes this machine holds.

    Everything that can be wrong with the folder is raised here, before any process starts.
    """
    with open_shop(root, database_url=database_url) as shop:
        ensure_deployed(shop.books, shop.shelf)
        admin_token(shop.workspace)
        threads = engine.threads if engine else 1
        for target in targets(shop.books) if engine is None else ():
            release = shop.shelf.get(target.release)
            variant = target.variant or release.model(target.model).default
            threads = max(threads, engine_choice(release, target.model, variant).threads)
    return max(1, this_machine().cores // threads)


def new_board(folder: Path, workers: int) -> Board:
    """The board of this parent; those of parents that were killed are cleared away."""
    for left in folder.glob("board-*"):
        pid = left.name.removeprefix("board-")
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            left.unlink(missing_ok=True)
    return Board(folder / f"board-{os.getpid()}", workers, create=True)


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket; raises ``BadHost`` or ``PortTaken``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    deadline = time.monotonic() + 5.0
    while True:
        try:
            listener.bind((host, port))
            break
        except (socket.gaierror, UnicodeError):
            listener.close()
            raise _bad_host(host) from None
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                listener.close()
                raise _bad_host(host) from None
            # Processes of a parent that was killed finish their calls before they let go of the port.
            if time.monotonic() > deadline or error.errno != errno.EADDRINUSE:
                listener.close()
                raise PortTaken(
                    f"cannot listen on {host} port {port}: {error.strerror}; choose another --port"
                ) from None
            time.sleep(0.1)
    listener.listen(BACKLOG)
    listener.set_inheritable(True)
    return listener


def _bad_host(host: str) -> BadHost:
    return BadHost(
        f"cannot listen on host {host[:80]!r}: it is no address of this machine; give --host 127.0.0.1 for this "
        "machine alone, 0.0.0.0 for every address of it, or one of its own"
    )


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Where clients find it."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def _announce(workspace: Path, url: str, pids: list[int], on_ready: Callable[[str], None] | None) -> None:
    announce(workspace, url, pids)
    if on_ready is not None:
        on_ready(url)


class _Parent:
    """Keeps the processes alive. Starts no thread of its own, so that forking stays safe."""

    def __init__(self, config: ProcessConfig, board: Board, listener: socket.socket) -> None:
        self._config, self._board, self._listener = config, board, listener
        # Fork shares the imported modules and starts at once; elsewhere the safe way is a fresh interpreter.
        self._context: BaseContext = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._processes: dict[int, BaseProcess] = {}
        self._started: dict[int, float] = {}
        self._failures = 0
        self._signals = 0
        self._signalled = 0.0
        self._renew = False
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)

    def start(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        if self._config.tls is not None:
            signal.signal(signal.SIGHUP, self._on_hangup)
        for worker in range(self._config.workers):
            self._spawn(worker)

    def pids(self) -> list[int]:
        return [process.pid for process in self._processes.values() if process.pid is not None]

    def _spawn(self, worker: int) -> None:
        process = self._context.Process(  # type: ignore[attr-defined]  # every context has it, the base class not
            target=serve_process, args=(self._config, worker, self._listener), name=process_name(worker)
        )
        with warnings.catch_warnings():
            # The only other threads are the linear-algebra pool's, which handles forks itself.
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        self._processes[worker] = process
        self._started[worker] = time.monotonic()

    def _on_signal(self, *_: object) -> None:
        now = time.monotonic()
        if self._signals and now - self._signalled < SAME_STOP_SECONDS:
            return
        self._signals, self._signalled = self._signals + 1, now
        self._wake()

    def _on_hangup(self, *_: object) -> None:
        self._renew = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)

    def _pass_on_renewal(self) -> None:
        """The certificate's files are new: the processes read them, unless they would not serve."""
        if not self._renew or self._config.tls is None:
            return
        self._renew = False
        try:
            found = self._config.tls.check()
        except ModelmintError as error:
            _log.error("the certificate in use stays: %s", error)
            return
        for process in self._processes.values():
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGHUP)
        _log.warning("the certificate was read again; it is valid until %s", found.not_valid_after_utc.date())

    def await_ready(self, tell: Callable[[], None], seconds: float = 120.0) -> None:
        """Until every process serves; raises ``ServerFailed`` where one cannot start."""
        deadline = time.monotonic() + seconds
        slots = [self._board.slot(worker) for worker in range(self._config.workers)]
        while not all(slot.get("ready") for slot in slots):
            if self._signals:
                return
            for worker, process in self._processes.items():
                if process.exitcode is not None:
                    raise ServerFailed(f"server process {worker} ended with {process.exitcode} before it served")
            if time.monotonic() > deadline:
                raise ServerFailed(f"the server processes did not load their models within {seconds:.0f} s")
            wait([self._wake_read], timeout=0.01)
            self._drain()
        tell()

    def watch(self, tell: Callable[[], None]) -> None:
        """Until a signal comes: replace whatever dies."""
        while not self._signals:
            wait([self._wake_read, *(process.sentinel for process in self._processes.values())])
            self._drain()
            self._pass_on_renewal()
            dead = [worker for worker, process in self._processes.items() if not process.is_alive()]
            if self._signals or not dead:
                continue
            for worker in dead:
                self._replace(worker)
            tell()

    def _replace(self, worker: int) -> None:
        process = self._processes[worker]
        short = time.monotonic() - self._started[worker] < SHORT_LIFE_SECONDS
        failed = short and process.exitcode == STARTUP_FAILED
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= FAILED_STARTS:
            raise ServerFailed(f"server process {worker} failed to start {FAILED_STARTS} times; see the log")
        _log.error("server process %d ended with %s; starting another", worker, process.exitcode)
        self._board.slot(worker).set("ready", 0)
        process.close()
        if failed:
            time.sleep(0.5 * self._failures)
        self._spawn(worker)

    def stop(self) -> None:
        """Ask the processes to finish, wait, and end those that do not; a second signal ends them at once."""
        self._listener.close()
        for process in self._processes.values():
            if process.is_alive():
                process.terminate()
        deadline = time.monotonic() + KILL_AFTER_SECONDS
        seen = self._signals
        while alive := [process for process in self._processes.values() if process.is_alive()]:
            if time.monotonic() > deadline or self._signals > max(seen, 1):
                for process in alive:
                    process.kill()
            wait([process.sentinel for process in alive], timeout=0.2)
        for process in self._processes.values():
            process.join()
