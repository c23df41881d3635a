"""A disk without room: calls fail cleanly, nothing is half there, and it goes on when there is room again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json, resource, sys
from modelmint.store.errors import BooksUnavailable
from modelmint.store.open import open_books
from modelmint.testing.books import a_caller

books = open_books(sys.argv[1])
caller = a_caller(books)
open_call = caller.reserve()
served = len(caller.call(times=3))
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (%LIMIT%, hard))
refused, late = 0, 0
for _ in range(60):
    ticket = books.reserve(caller.request())
    try:
        admitted = ticket.decided.result(60)
        ticket.durable.result(60)
    except BooksUnavailable as error:
        assert error.retry_after == 1
        refused += 1
        continue
    try:
        caller.settle(admitted)
        served += 1
    except BooksUnavailable:
        late += 1
customers = 1
try:
    for number in range(2000):
        books.add_customer(f"no room {number}", "x" * 400)
        customers += 1
except BooksUnavailable:
    pass
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
caller.settle(open_call)
served += 1 + len(caller.call(times=5))
billed = sum(row.billable for row in books.outcomes())
found = {"refused": refused, "served": served, "billed": billed, "customers": [customers, len(books.customers())]}
books.close()
again = open_books(sys.argv[1])
found["after"] = sum(row.billable for row in again.outcomes())
again.close()
print(json.dumps(found))
"""


def test_a_full_disk_fails_calls_and_stores_nothing_half(tmp_path: Path) -> None:

    script = SCRIPT.replace("%LIMIT%", "300_000")
    command = [sys.executable, "-c", script, f"sqlite:///{tmp_path}/books.sqlite"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["refused"] > 0
    assert found["served"] == found["billed"] == found["after"]
    assert found["customers"][0] == found["customers"][1] < 2000
