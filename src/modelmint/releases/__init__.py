"""The immutable bundle: manifest, verify, statements."""
