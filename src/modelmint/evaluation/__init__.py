"""Metrics with intervals, calibration, gates and plots. No torch."""
