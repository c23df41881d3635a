"""A prediction's name: it leads to the outcome row of its call, where what was answered stands beside it.

A call that was reserved as ``call_X`` answers as ``prd_X``, so whoever names the prediction names the row, without an
index of its own. The row keeps ``prd_X+CODES``: for every input seven hexadecimal digits that hold the answered
label's place among the release's labels, whether it abstained, and its probability. Customers see ``prd_X`` and, of
several inputs, ``prd_X.0``, ``prd_X.1``, ... (ADR 0016).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_MARK = "+"
_WIDTH = 7
#: Bits of the probability; labels have what is left beside the bit of abstention.
_FINE = 10
_FULL = (1 << _FINE) - 1
MOST_LABELS = 1 << (_WIDTH * 4 - _FINE - 1)
_NAME = re.compile(r"prd_([0-9a-z]{24})(?:\.([0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered for one input."""

    #: Place among the labels of the release that answered.
    label: int
    #: Calibrated, to one part in 1,023.
    probability: float
    abstained: bool


@dataclass(frozen=True, slots=True)
class Named:
    """What a customer's name of a prediction says."""

    #: Id of the outcome row.
    outcome: str
    #: Without the place of the input.
    prediction: str
    #: None where only the call is named.
    item: int | None


def prediction_of(reservation: str) -> str:
    """The name of what a reserved call answers."""
    return "prd" + reservation[reservation.find("_") :]


def named(name: str) -> Named | None:
    """None for a text that names no prediction of ours."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    item = None if found[2] is None else int(found[2])
    return Named(f"call_{found[1]}", f"prd_{found[1]}", item)


def noted(prediction: str, answers: Iterable[tuple[int, float, bool]]) -> str:
    """What the outcome row keeps: the name, and (label's place, probability, abstained) of every input.

    The name alone where the release has more labels than fit.
    """
    codes = []
    for label, probability, abstained in answers:
        if label >= MOST_LABELS:
            return prediction
        codes.append(f"{(label << 1 | abstained) << _FINE | round(probability * _FULL):07x}")
    return prediction + _MARK + "".join(codes)


def shown(note: str | None) -> str | None:
    """The name that customers know, of what an outcome row keeps."""
    return None if note is None else note.partition(_MARK)[0]


def answers_of(note: str) -> list[Answered]:
    """What was answered, input by input; empty where the row keeps the name alone."""
    codes = note.partition(_MARK)[2]
    found = []
    for begin in range(0, len(codes) // _WIDTH * _WIDTH, _WIDTH):
        value = int(codes[begin : begin + _WIDTH], 16)
        head = value >> _FINE
        found.append(Answered(head >> 1, (value & _FULL) / _FULL, bool(head & 1)))
    return found
