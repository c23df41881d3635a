"""Rows in, a checked, split and frozen DatasetVersion out."""
