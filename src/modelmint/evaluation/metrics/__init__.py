"""Metrics in numpy only, one file per family. Each agrees with scikit-learn to the last digits (tests/numerics)."""
