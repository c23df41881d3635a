"""One pure file per price model."""
