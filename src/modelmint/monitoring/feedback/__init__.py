"""What customers say of predictions."""
