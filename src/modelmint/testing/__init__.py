"""Factories and conformance suites; public, for plugin authors too."""
