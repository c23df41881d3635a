"""Taking money: the provider protocol, a shipped fake, Stripe."""
