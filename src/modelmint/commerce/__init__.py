"""Catalog, admission, metering, rating, billing, ledger. No float, no SQL, no HTTP."""
