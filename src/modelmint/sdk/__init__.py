"""A venture in the hands of a Python program; ``modelmint.open`` is its door."""
