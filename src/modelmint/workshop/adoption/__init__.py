"""Graphs made elsewhere, taken into the house: read with care, understood, wrapped once."""
