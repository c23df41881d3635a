"""One server process: opens the shop, loads what is deployed, serves until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import BaseRoute
from uvicorn import Config, Server

from modelmint.api.accept import Acceptor
from modelmint.api.app import Application
from modelmint.api.board import Board
from modelmint.api.problems import status_of
from modelmint.api.protocol import BoundedProtocol, close_slow
from modelmint.api.service import Service
from modelmint.api.tls import THIS_MACHINE, TlsFiles
from modelmint.bootstrap import Shop, open_shop
from modelmint.kit.errors import ModelmintError
from modelmint.operations.predict import Predict
from modelmint.serving.types import EngineChoice

_log = logging.getLogger("modelmint.api")
KEEP_ALIVE_SECONDS = 30
DRAIN_SECONDS = 30
#: How long a kept-alive client may take to send its next call into a server that stops.
LAST_CALLS_SECONDS = 0.5
STARTUP_FAILED = 3
#: Starts work beside the server (the worker's schedule) and returns what ends it.
Background = Callable[[Shop], Callable[[], None]]
#: Makes further routes (the console's) from the shop, the founder's token, the table from errors to statuses, and the
#: paid operation.
Mounts = Callable[[Shop, str, Callable[[ModelmintError], int], Predict], Sequence[BaseRoute]]


@dataclass(frozen=True)
class ProcessConfig:
    """What a server process is told; travels to it by fork or by pickle."""

    root: Path
    board: Path
    workers: int
    database_url: str | None = None
    engine: EngineChoice | None = None
    background: Background | None = None
    log_level: str = "WARNING"
    mounts: Mounts | None = None
    tls: TlsFiles | None = None
    #: Whose ``X-Forwarded-*`` headers are believed.
    proxies: tuple[str, ...] = THIS_MACHINE


def serve_process(config: ProcessConfig, worker: int, listener: socket.socket) -> None:
    """The body of a server process; ends by ``sys.exit`` with 0 after a graceful stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # until the server can stop well there is nothing to finish
    if config.tls is not None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a process that starts reads the new files anyway
    setup_logging(config.log_level)
    try:
        shop = open_shop(config.root, database_url=config.database_url)
        board = Board(config.board, config.workers)
        service = Service(shop, board=board, worker=worker, engine=config.engine)
    except ModelmintError as error:
        _log.error("worker %d cannot start: %s", worker, error)
        sys.exit(STARTUP_FAILED)
    end_background = config.background(shop) if config.background else None
    try:
        mounts = config.mounts(shop, service.admin_token, status_of, service.predict) if config.mounts else ()
        _Server(service, listener, worker, mounts, config).run()
    finally:
        if end_background is not None:
            end_background()
        service.close()
    sys.exit(0)


def setup_logging(level: str) -> None:
    """One line per record on stderr."""
    logging.basicConfig(
        level=level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s", force=True
    )
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, logging.getLevelName(level)))


class _Server(Server):
    """uvicorn with even accepting, bounded waiting, and a stop that fails no call."""

    def __init__(
        self,
        service: Service,
        listener: socket.socket,
        worker: int,
        mounts: Sequence[BaseRoute],
        config: ProcessConfig,
    ) -> None:
        super().__init__(
            Config(
                Application(service, mounts),
                loop="uvloop" if sys.platform != "win32" else "asyncio",
                http=BoundedProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=list(config.proxies),
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )
        self._service, self._listener, self._worker = service, listener, worker
        self._acceptor: Acceptor | None = None
        self._tls_files = config.tls
        self._tls = config.tls.context() if config.tls is not None else None
        self.servers: list[asyncio.base_events.Server] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGTERM stops gracefully, and says nothing new when it is repeated.

        It often comes twice, to the whole process group and passed on by the parent; the parent alone decides to
        stop at once, and kills. The handler outlives the loop, so that no late signal cuts off the last bookings.
        """
        signal.signal(signal.SIGTERM, lambda *_: self._on_stop())
        loop = asyncio.get_running_loop()
        parent = multiprocessing.parent_process()
        if parent is not None:
            loop.add_reader(parent.sentinel, self._on_orphaned, parent.sentinel)
        if self._tls_files is not None:
            loop.add_signal_handler(signal.SIGHUP, self._renew)
        yield

    def _renew(self) -> None:
        """The certificate was renewed: new connections get it."""
        if self._tls_files is None or self._tls is None:
            return
        try:
            self._tls_files.load_into(self._tls)
        except ModelmintError as error:
            _log.error("worker %d keeps the certificate that it has: %s", self._worker, error)

    def _on_stop(self) -> None:
        self.should_exit = True

    def _on_orphaned(self, sentinel: int) -> None:
        """The parent died: finish what runs and go, so that the port is free for its successor."""
        asyncio.get_running_loop().remove_reader(sentinel)
        self._on_stop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILED)
        connections = self.server_state.connections
        self._acceptor = Acceptor(
            self._listener, self._protocol, lambda: len(connections), self._service.board, self._worker, self._tls
        )
        self.started = True
        self._service.slot.set("ready", 1)

    def _protocol(self) -> asyncio.Protocol:
        return BoundedProtocol(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state, _loop=None
        )

    async def on_tick(self, counter: int) -> bool:
        stop = await super().on_tick(counter)
        if counter % 10 == 0:
            self._service.slot.set("connections", len(self.server_state.connections))
            close_slow(self.server_state.connections)
        return stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, answer what runs and what kept-alive clients send meanwhile, then close."""
        self._service.draining = True
        self._service.slot.set("ready", 0)
        if self._acceptor is not None:
            await self._acceptor.stop()
        self.server_state.draining = True  # type: ignore[attr-defined]  # read by BoundedProtocol
        for connection in list(self.server_state.connections):
            if isinstance(connection, BoundedProtocol) and connection.busy:
                connection.shutdown()  # this answer says Connection: close
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LAST_CALLS_SECONDS
        while self.server_state.connections and loop.time() < deadline:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets=[])


def process_name(worker: int) -> str:
    """What a worker process is called."""
    return f"modelmint-{os.getpid()}-{worker}"
