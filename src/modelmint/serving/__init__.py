"""Batching, limits and live traffic. No torch, no HTTP, no SQL."""
