"""Plain JSON as tables in words and figures."""
