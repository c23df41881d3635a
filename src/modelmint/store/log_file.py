"""The place of SQLite's write-ahead log on the disk.

A sync of a file that grew makes the file system write its own journal, too, which takes about twice as long as a sync
of a file that did not. SQLite writes its log from the start again after each checkpoint and stops reading at the first
frame that is not of the present round, so zeros behind its end are harmless.
"""

from __future__ import annotations

import os
from contextlib import suppress

#: Bytes before each page in the log (https://www.sqlite.org/fileformat2.html#walformat).
FRAME_HEADER = 24
_PIECE = bytes(2**20)


def lay_out(path: str, size: int) -> None:
    """Make the log at ``path`` at least ``size`` bytes long. Only for who holds SQLite's write lock.

    Where it fails (a full disk), the log grows as it is written, as before.
    """
    with suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            end = os.fstat(handle).st_size
            if end >= size:
                return
            before = end
            try:
                while end < size:
                    end += os.pwrite(handle, _PIECE[: size - end], end)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, before)  # what is left of a full disk is for calls
        finally:
            os.close(handle)
