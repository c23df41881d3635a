"""Why usage events are refused. A batch is refused whole, with every problem in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelmint.kit.errors import Conflict, InvalidInput, LimitExceeded, ModelmintError

#: Problems that a refusal lists; the rest is counted.
LISTED = 100


class BadEvents(InvalidInput):
    """Usage events that cannot be read, or are refused for several reasons at once."""

    code = "bad_events"


class UnknownSpecVersion(InvalidInput):
    """An event of a CloudEvents version other than 1.0."""

    code = "unknown_specversion"


class NegativeQuantity(InvalidInput):
    """An event that counts less than nothing."""

    code = "negative_quantity"


class TooPrecise(InvalidInput):
    """A quantity with more than six decimals."""

    code = "too_precise"


class EventInFuture(InvalidInput):
    """An event dated later than the clocks of two machines differ."""

    code = "event_in_future"


class EventTooOld(InvalidInput):
    """An event that happened too long ago to be billed."""

    code = "event_too_old"


class MixedCurrencies(InvalidInput):
    """A stated amount in a currency other than that of the plan held when it happened."""

    code = "mixed_currencies"


class EventConflict(Conflict):
    """An event whose (source, id) is known with other content."""

    code = "event_conflict"


class TooManyEvents(LimitExceeded):
    """More events than one batch may hold."""

    code = "too_many_events"
    status = 413


class MeterFull(LimitExceeded):
    """A meter's sum would grow beyond what the books hold exactly, or what an invoice can say."""

    code = "meter_full"


class BadPosition(InvalidInput):
    """A place in a log or a dimension of a table that does not exist."""

    code = "bad_position"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one event of a batch."""

    index: int
    kind: type[ModelmintError]
    text: str


def refusal(problems: Sequence[Problem], count: int) -> ModelmintError:
    """The error for a batch of ``count`` events: of the one kind that all problems have, else ``BadEvents``."""
    found = sorted(problems, key=lambda problem: problem.index)
    kinds = {problem.kind for problem in found}
    kind = kinds.pop() if len(kinds) == 1 else BadEvents
    wrong = len({problem.index for problem in found})
    listed = found[:LISTED]
    told = [{"index": problem.index, "code": problem.kind.code, "problem": problem.text} for problem in listed]
    more = f" The first {LISTED} problems are listed." if len(found) > LISTED else ""
    return kind(
        f"{wrong} of {count} events cannot be recorded; nothing was stored. Correct and send the batch again.{more}",
        problems=[f"event {problem.index}: {problem.text}" for problem in listed],
        details={"events": told},
    )
