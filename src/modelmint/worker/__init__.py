"""Outbox and schedules that run inside serve, one lease for N processes."""
