"""Partners, referral codes, revenue and margin per channel."""
