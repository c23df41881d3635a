"""One file per format that rows come in."""
