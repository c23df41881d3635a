"""One small file per section of ``venture.toml``."""
