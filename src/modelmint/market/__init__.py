"""Sizing, rivals, pricing, growth from measured cost and the ledger. Filled by later issues."""
