"""What was used: usage events, quantities, sums."""
