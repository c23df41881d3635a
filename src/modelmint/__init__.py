"""Modelmint: from labelled data to an API that people pay for."""

__version__ = "0.1.0"
