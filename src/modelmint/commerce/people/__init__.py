"""Keys, scopes, the audit log, erasure, abuse."""
