"""Drift, performance on late labels, feedback. Filled by later issues."""
