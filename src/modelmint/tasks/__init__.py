"""One file per task: parse a request, encode to arrays, decode to predictions. No torch."""
