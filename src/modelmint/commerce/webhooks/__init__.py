"""Outgoing webhooks: signed messages, retries."""
