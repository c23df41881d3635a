"""Names: never the same twice, in the order of the milliseconds in which they were made."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from modelmint.kit import ids
from modelmint.kit.ids import new_id

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def test_a_name_is_its_prefix_and_24_digits_of_an_alphabet_without_look_alikes() -> None:
    seen = set()
    for prefix in ("call", "out", "a_b"):
        for _ in range(2000):
            name = new_id(prefix)
            before, _, digits = name.rpartition("_")
            assert (before, len(digits)) == (prefix, 24)
            seen |= set(digits)
    assert seen == set(ALPHABET)
    assert list(ALPHABET) == sorted(ALPHABET)  # so texts sort as the numbers do
    assert not seen & set("ilou")


def test_every_digit_of_chance_is_as_likely_as_another() -> None:
    counts = dict.fromkeys(ALPHABET, 0)
    for _ in range(4000):
        for digit in new_id("x")[-14:]:
            counts[digit] += 1
    assert all(1450 < n < 2050 for n in counts.values())  # 1750 each, and seven times the usual deviation


def test_names_sort_by_the_millisecond_in_which_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = [0, 1, 31, 32, 1023, 1024, 2**30, 1_794_312_000_000, 1_794_312_000_001, 2**48 - 1, 2**50 - 1]
    made = []
    for moment in moments:
        monkeypatch.setattr(time, "time_ns", lambda at=moment: at * 1_000_000 + 999_999)
        made += [new_id("x"), new_id("x")]
    assert [name[:12] for name in sorted(made)] == [name[:12] for name in made]
    assert [name[2:12] for name in made[::2]] == [name[2:12] for name in made[1::2]]
    assert [sum(ALPHABET.index(d) * 32**n for n, d in enumerate(reversed(name[2:12]))) for name in made[::2]] == moments
    monkeypatch.setattr(time, "time_ns", lambda: 31_000_000)  # a clock that goes back
    assert new_id("x")[:12] == "x_000000000z"


def test_threads_never_make_the_same_name() -> None:
    made: list[list[str]] = [[] for _ in range(16)]
    ready = threading.Barrier(16)

    def make(mine: list[str]) -> None:
        ready.wait(60)
        mine += [new_id("call") for _ in range(3000)]

    former = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=make, args=(mine,)) for mine in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    finally:
        sys.setswitchinterval(former)
    assert [len(mine) for mine in made] == [3000] * 16
    assert len({name[-14:] for mine in made for name in mine}) == 16 * 3000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_makes_other_names_than_its_parent_and_than_its_siblings() -> None:
    new_id("call")
    assert ids._ready  # there are some in store that a child must not use
    heard: list[list[str]] = []
    for _ in range(2):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:  # no frame of pytest's may go on here
            try:
                os.close(reading)
                os.write(writing, "\n".join(new_id("call")[-14:] for _ in range(300)).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as answer:
            heard.append(answer.read().splitlines())
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    heard.append([new_id("call")[-14:] for _ in range(300)])
    assert [len(names) for names in heard] == [300] * 3
    assert len({name for names in heard for name in names}) == 900
