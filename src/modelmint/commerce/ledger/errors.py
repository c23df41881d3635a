"""What can go wrong with the ledger and with replay."""

from __future__ import annotations

from modelmint.kit.errors import Conflict, Corrupted


class LedgerBroken(Corrupted):
    """``ledger verify`` found rows that are not what was booked."""

    code = "ledger_broken"


class BadSegment(Corrupted):
    """A ledger segment, or the plan beside it, cannot be read."""

    code = "bad_segment"


class ReplayDiffers(Corrupted):
    """An invoice made again from its inputs is not the one that was booked."""

    code = "replay_differs"


class NotReplayable(Conflict):
    """An invoice that was not computed: a credit note, or one from before inputs were kept."""

    code = "not_replayable"
