"""SQL and blobs; implements the Protocols of the packages below it."""
