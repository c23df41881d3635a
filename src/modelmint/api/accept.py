"""Taking connections from the socket that all server processes share, evenly.

Left alone, whichever process wakes first takes a whole burst of clients, and since connections are kept
alive one core then works while another idles. Here a process takes one connection at a time, and lets the
others go first while it holds more than they do.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from modelmint.api.board import Board
from modelmint.api.tls import HANDSHAKE_SECONDS

#: How long a process that holds more connections than another one looks away, seconds.
STEP_BACK = 0.002
#: How often it looks away at most before it takes the connection all the same (the other one may be stuck).
PATIENCE = 5


class Acceptor:
    """Accepts for one process; with ``tls`` a connection counts once hands were shaken."""

    def __init__(
        self,
        listener: socket.socket,
        factory: Callable[[], asyncio.Protocol],
        open_connections: Callable[[], int],
        board: Board,
        worker: int,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._listener, self._factory = listener, factory
        self._open, self._board, self._worker = open_connections, board, worker
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._waited = 0
        self._timer: asyncio.TimerHandle | None = None
        self._slot = board.slot(worker)
        listener.setblocking(False)
        self._watch()

    def _watch(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listener.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        mine = self._open() + len(self._tasks)
        self._slot.set("connections", mine)
        if self._waited < PATIENCE and self._others_have_less(mine):
            self._waited += 1
            self._loop.remove_reader(self._listener.fileno())
            self._timer = self._loop.call_later(STEP_BACK, self._watch)
            return
        self._waited = 0
        self._take_one()

    def _others_have_less(self, mine: int) -> bool:
        others = [
            row.values["connections"]
            for row in self._board.rows()
            if row.worker != self._worker and row.values["ready"]
        ]
        return bool(others) and mine > min(others)

    def _take_one(self) -> bool:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # another process took it, or the client left, or descriptors ran out
            return False
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._connect(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def _connect(self, connection: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(
                self._factory,
                connection,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if self._tls is not None else None,
            )
        except OSError:
            connection.close()
        self._slot.set("connections", self._open())

    async def stop(self) -> None:
        """Take what already knocked, then let go of the socket."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._listener.fileno())
        while self._take_one():
            pass
        with contextlib.suppress(OSError):
            self._listener.close()
        if self._tasks:
            await asyncio.wait(set(self._tasks))
