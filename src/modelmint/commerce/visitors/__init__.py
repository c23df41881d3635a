"""People who try the product without a key, and what they leave."""
