"""The founder's file, ``venture.toml``: schema, loader, and every problem at once with its line."""
