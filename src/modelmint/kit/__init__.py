"""Words everything shares. Imports nothing of ours."""
