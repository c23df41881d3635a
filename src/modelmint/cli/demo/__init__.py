"""The demo: a real model built, served, sold and billed in one go, each phase in its own file."""
