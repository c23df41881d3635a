"""What customers sent, kept where both sides agreed to it."""
