"""A process of callers for the crash tests: python caller_process.py URL DIGEST THREADS [CALLS].

Settles every second call on the caller's own thread. Prints one line for each settlement after it is durable, so that
whoever reads knows what was acknowledged; ends after CALLS reservations a thread, or never. Refusals print
``refused CODE``.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from modelmint.commerce.types import AdmissionRequest, Settlement
from modelmint.kit.errors import ModelmintError
from modelmint.store import database, hot_sql, reserve
from modelmint.store.open import open_books


def main() -> None:
    url, digest, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    calls = int(sys.argv[4]) if len(sys.argv) > 4 else 10**9
    if os.environ.get("CALLER_NEVER_SYNCS"):
        _never_sync()
    reserve.BOUND = 60  # processes that are slow to give lent quota back are waited for: nobody is refused too early
    books = open_books(url)
    os.write(1, b"ready\n")

    def caller() -> None:
        for number in range(calls):
            try:
                admitted = books.reserve(AdmissionRequest(digest, "reader", 1, 1)).decided.result()
                outcome = books.settle(Settlement(admitted.reservation, 200, "ok"), here=number % 2 == 0).result()
            except ModelmintError as error:
                os.write(1, f"refused {error.code}\n".encode())
            else:
                os.write(1, f"settled {outcome.id}\n".encode())

    running = [threading.Thread(target=caller) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    books.close()


def _never_sync() -> None:
    """Break the promise on purpose, to see that the tests notice: no session syncs, before a checkpoint neither."""
    prepare, honest = database._prepare_sqlite, hot_sql.HotConnection.__init__

    def careless(connection: Any, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA synchronous=OFF")

    def careless_calls(connection: Any, *given: Any) -> None:
        honest(connection, *given)
        connection.run("PRAGMA synchronous=OFF")

    database._prepare_sqlite = careless
    hot_sql.HotConnection.__init__ = careless_calls  # type: ignore[method-assign]  # on purpose
    hot_sql.HotConnection.sync = lambda self: None  # type: ignore[method-assign]  # on purpose


if __name__ == "__main__":
    main()
