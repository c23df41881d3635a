"""A process that reports usage: python reporting_process.py URL BASE NOW. The clock stands still at NOW."""

from __future__ import annotations

import sys
from datetime import datetime

from modelmint.commerce.payments.stripe_adapter import StripeProvider
from modelmint.kit.clock import ManualClock
from modelmint.operations.report_usage import plan_reports, send_reports
from modelmint.store.open import open_books


def main() -> None:
    url, base, now = sys.argv[1:]
    books = open_books(url, ManualClock(datetime.fromisoformat(now)))
    sink = StripeProvider("sk_test_double", "whsec_x", base)
    plan_reports(books, sink, ["calls"])
    send_reports(books, sink)
    books.close()


if __name__ == "__main__":
    main()
