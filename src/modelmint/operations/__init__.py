"""Run-time verbs, one per file."""
