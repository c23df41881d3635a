"""A release as one signed file: written the same way every time, taken in only whole."""
