"""A process that reports usage events: python event_process.py URL CUSTOMER FIRST STEP BEGAN.

Records batch FIRST, FIRST + STEP, ... of ``BATCHES`` (of a fixed list that all such processes share), and prints the
number of each after it is durable, so that whoever reads knows what was acknowledged.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from modelmint.commerce.metering.types import UsageEvent
from modelmint.store.open import open_books

BATCHES, SIZE, OVERLAP = 60, 40, 20


def batch(number: int, began: datetime) -> list[UsageEvent]:
    """Its second half is the first half of the next one."""
    return [
        UsageEvent("/fleet", f"e{n}", "t", began + timedelta(seconds=n), "tokens", Decimal(n), value=f"v{n % 7}")
        for n in range(number * (SIZE - OVERLAP), number * (SIZE - OVERLAP) + SIZE)
    ]


def main() -> None:
    url, customer, first, step = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    books = open_books(url)
    began = datetime.fromtimestamp(int(sys.argv[5]), UTC)
    os.write(1, b"ready\n")
    for number in range(first, BATCHES, step):
        books.meters.record(customer, "key", batch(number, began))
        os.write(1, f"{number}\n".encode())
    books.close()


if __name__ == "__main__":
    main()
